# shellcheck shell=bash
# The Docker engine, nginx and sshd: started by systemd where it runs, else by hand; nothing is
# started twice. Sourced, after say.sh and packages.sh.

have_systemd() { [ -d /run/systemd/system ]; }

# started NAME PID: notes in the file $DOKKU_STARTED, when the caller set it, what it has to end.
started() {
  remark "started $1 (process $2)"
  [ -z "${DOKKU_STARTED:-}" ] || printf '%s %s\n' "$1" "$2" >>"$DOKKU_STARTED"
}

# stop_started FILE: ends what FILE notes, the last first, and waits for it. In silence: the last word is
# the caller's.
stop_started() {
  local pid tries
  [ -s "$1" ] || return 0
  while read -r _ pid; do
    kill "$pid" 2>/dev/null || continue
    for ((tries = 0; tries < 300; tries++)); do
      kill -0 "$pid" 2>/dev/null || break
      sleep 0.1
    done
  done < <(tac "$1")
}

# A docker client alone is no engine; only an answer counts.
engine_answers() { docker info >/dev/null 2>&1; }

install_engine() {
  have dockerd || install_packages docker.io
  # From Debian 13 on the client is a package of its own.
  have docker || install_packages docker-cli
  # Where the kernel enforces AppArmor, the engine needs its parser to start any container.
  [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" != Y ] || install_missing apparmor_parser=apparmor
  have_systemd || mountpoint -q /sys/fs/cgroup || install_missing cgroupfs-mount=cgroupfs-mount
}

start_engine() {
  engine_answers && return
  local log=/var/log/docker.log
  if have_systemd; then
    systemctl enable --now docker || fail "the Docker engine does not start: journalctl -u docker tells why"
  else
    ! have cgroupfs-mount || cgroupfs-mount || true
    setsid dockerd >>"$log" 2>&1 </dev/null &
    started dockerd $!
  fi
  wait_until 60 engine_answers || fail "the Docker engine does not answer: see $(have_systemd && echo 'journalctl -u docker' || echo "$log")"
}

nginx_runs() {
  local pid
  pid=$(cat /run/nginx.pid 2>/dev/null) && [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null
}

# start_nginx: nginx runs and has read the configuration that is on the disk now.
start_nginx() {
  local complaint
  complaint=$(/usr/sbin/nginx -t 2>&1) || fail "nginx refuses its configuration: $(grep -m 1 emerg <<<"$complaint")"
  if nginx_runs; then
    /etc/init.d/nginx reload >/dev/null
  elif have_systemd; then
    systemctl enable --now nginx 2>/dev/null || fail "nginx does not start$(port_80_taken): journalctl -u nginx tells more"
  else
    complaint=$(/usr/sbin/nginx 2>&1) || fail "nginx does not start$(port_80_taken): $(grep -m 1 emerg <<<"$complaint")"
    started nginx "$(cat /run/nginx.pid)"
  fi
}

port_80_taken() {
  (: </dev/tcp/127.0.0.1/80) 2>/dev/null || return 0
  local holder=''
  ! have ss || holder=$(ss -Hltnp 'sport = :80' | sed -n 's/.*users:((\("[^"]*",pid=[0-9]*\).*/ by \1/p' | head -n 1)
  printf '%s' " (port 80 is taken$holder: end that program, then run this again)"
}

# ssh_port: the first port that sshd is configured for.
ssh_port() {
  mkdir -p /run/sshd
  /usr/sbin/sshd -T 2>/dev/null | awk '$1 == "port" { print $2; found = 1; exit } END { if (!found) print 22 }'
}

ssh_answers() {
  local banner=''
  { read -r -t 3 banner <"/dev/tcp/127.0.0.1/$(ssh_port)"; } 2>/dev/null
  [[ $banner == SSH-* ]]
}

# start_sshd: where no init looks after it, it listens on DOKKU_SSHD_ADDRESS only, if that is set.
start_sshd() {
  ssh-keygen -A >/dev/null
  ssh_answers && return
  if have_systemd; then
    systemctl enable --now ssh 2>/dev/null || fail "sshd does not start: journalctl -u ssh tells why"
  else
    /usr/sbin/sshd ${DOKKU_SSHD_ADDRESS:+-o "ListenAddress=$DOKKU_SSHD_ADDRESS"} || fail "sshd does not start: sshd -t tells why"
    wait_until 10 test -s /run/sshd.pid || fail "sshd does not write /run/sshd.pid"
    started sshd "$(cat /run/sshd.pid)"
  fi
  wait_until 10 ssh_answers || fail "nothing answers on port $(ssh_port), where sshd should be"
}

# wait_until SECONDS COMMAND...: tries the command until it succeeds; fails after that time.
wait_until() {
  local until=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$until" ] || return 1
    sleep 0.2
  done
}
