# shellcheck shell=bash
# Debian and Ubuntu packages: only what is missing, judged by the files that we use. Sourced.

# have FILE: FILE is there; a bare name is looked up as a program, in the sbin directories too.
have() {
  case $1 in
    /*) [ -e "$1" ] ;;
    *) PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin command -v "$1" >/dev/null ;;
  esac
}

# install_missing FILE=PACKAGE...: installs the packages whose file is not there.
install_missing() {
  local pair packages=()
  for pair in "$@"; do
    have "${pair%%=*}" || packages+=("${pair#*=}")
  done
  [ ${#packages[@]} = 0 ] || install_packages "${packages[@]}"
}

install_packages() {
  have apt-get || fail "no apt-get here: this installs on Debian 12 and 13, Ubuntu 22.04 and 24.04. Install by hand: $*"
  remark "installing $*"
  local log
  log=$(mktemp)
  if ! { apt_get update && without_starting_services apt_get install -y --no-install-recommends "$@"; } >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    rm -f "$log"
    fail "the packages could not be installed: $*"
  fi
  rm -f "$log"
}

apt_get() {
  DEBIAN_FRONTEND=noninteractive apt-get -q -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@" </dev/null
}

# Without systemd a package's own start script would run here and now, with nobody to watch over the
# daemon and before its configuration is written; services.sh starts them instead.
without_starting_services() {
  local policy=/usr/sbin/policy-rc.d code=0
  if [ -d /run/systemd/system ] || [ -e "$policy" ]; then
    "$@"
    return
  fi
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  "$@" || code=$?
  rm -f "$policy"
  return "$code"
}
