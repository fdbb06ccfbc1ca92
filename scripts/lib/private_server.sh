# shellcheck shell=bash
# shellcheck disable=SC2154 # what the script sets
# A server of its own for one run of a script, beside whatever is installed: roots, plugins, programs and
# nginx (on a port of loopback) below one directory. Only the engine is the machine's. Sourced, after say.sh;
# $server is its directory, $domain the domain of its apps.

port=8871

# as COMMAND...: as user dokku on this server. $counted, when set, is a file that gets a line for each call of docker.
as() {
  local path=$server/bin:$PATH
  [ -z "${counted:-}" ] || path=$server/count:$path
  setpriv --reuid dokku --regid dokku --init-groups env -i PATH="$path" HOME="$server/home" USER=dokku LANG=C.UTF-8 \
    DOKKU_ROOT="${root:-$server/home}" DOKKU_LIB_ROOT="$server/lib" PLUGIN_PATH="$server/plugins" TMPDIR="$server/tmp" \
    CALLS="${counted:-}" "$@"
}

# make_server: from $server/bin and $server/plugins, which are there.
make_server() {
  local real
  real=$(command -v docker)
  mkdir -p "$server"/{home,lib,tmp,count,nginx}
  chmod 755 "$server"
  printf '%s\n' "$domain" | tee "$server/home/VHOST" >"$server/home/HOSTNAME"
  printf 'v0.3.18\n' >"$server/home/VERSION"
  # What dokku does beside a push, it does in processes of its own.
  # shellcheck disable=SC2016
  printf '#!/bin/sh\ntr "\\0" " " <"/proc/$PPID/cmdline" | grep -q "core:" || echo "$*" >>"$CALLS"\nexec %s "$@"\n' \
    "$real" >"$server/count/docker"
  # Stands for root where dokku asks nginx something.
  cat >"$server/bin/sudo" <<SUDO
#!/bin/sh
case "\$*" in
  *nginx\ -t) exec /usr/sbin/nginx -q -c $server/nginx/nginx.conf -t ;;
  *reload) exec /usr/sbin/nginx -c $server/nginx/nginx.conf -s reload ;;
esac
exit 1
SUDO
  chmod 755 "$server/count/docker" "$server/bin/sudo"
  sed -i "/\[::\]:80/d; s/listen  *80;/listen 127.0.0.1:$port;/" "$server/plugins/nginx-vhosts/templates/nginx.conf.template"
  nginx_configuration >"$server/nginx/nginx.conf"
  chown -R dokku: "$server"
  as /usr/sbin/nginx -c "$server/nginx/nginx.conf" || fail "nginx does not start on port $port of loopback"
}

nginx_configuration() {
  local kind
  printf 'pid %s/nginx/pid;\nerror_log %s/nginx/error.log;\nevents { worker_connections 1024; }\n' "$server" "$server"
  printf 'http {\n  access_log off;\n  server_names_hash_bucket_size 128;\n'
  for kind in client_body proxy fastcgi uwsgi scgi; do printf '  %s_temp_path %s/nginx/%s;\n' "$kind" "$server" "$kind"; done
  printf '  server { listen 127.0.0.1:%s default_server; return 404; }\n  include %s/home/*/nginx.conf;\n}\n' "$port" "$server"
}

# make_app NAME KIND: a working copy to push from, of a sample app in tests/fixtures/apps or `dockerfile`, with CHECKS of one line.
make_app() {
  local name=$1 kind=$2 copy=$server/$1
  mkdir -p "$copy"
  if [ "$kind" = dockerfile ]; then
    cp "$repository/tests/fixtures/apps/procfile/server.pl" "$copy"
    printf 'FROM %s\nRUN mkdir /app\nCOPY . /app/\nCMD ["perl", "/app/server.pl"]\n' "$base" >"$copy/Dockerfile"
  else
    cp -r "$repository/tests/fixtures/apps/$kind/." "$copy"
  fi
  echo / >"$copy/CHECKS"
  chown -R dokku: "$copy"
  in_copy "$name" init -q -b master
}

in_copy() { as git -C "$server/$1" -c user.name=bench -c user.email=bench@localhost "${@:2}"; }

# change NAME: one more commit.
change() {
  echo "$EPOCHREALTIME" >"$server/$1/REVISION"
  in_copy "$1" add -A
  in_copy "$1" commit -q -m change
}

# push NAME: as git over ssh does it, with dokku at the other end. A bash dokku cannot read what git has not
# accepted yet: with $by_hook, its hook is run by hand.
push() {
  local new
  if [ -z "${by_hook:-}" ]; then
    as git -C "$server/$1" push -q --receive-pack='dokku git-receive-pack' "file:///$1" master
  else
    [ -d "$server/home/$1" ] || as git init -q --bare "$server/home/$1"
    new=$(in_copy "$1" rev-parse master)
    in_copy "$1" push -q "$server/home/$1" master:refs/heads/pushed
    as dokku git-hook "$1" <<<"0000000000000000000000000000000000000000 $new refs/heads/master"
    as git -C "$server/home/$1" update-ref refs/heads/master "$new"
  fi
} >"$server/tmp/said" 2>&1

# end_server: nginx, containers and images of this server's apps, and all of its files.
end_server() {
  local app
  [ ! -s "$server/nginx/pid" ] || kill "$(<"$server/nginx/pid")" || true
  for app in "$server"/home/*/; do
    forget "$(basename "$app")" >/dev/null 2>&1 || true
  done
  rm -rf "$server"
}

# forget NAME: what the engine has of an app.
forget() {
  docker ps -aq --filter "ancestor=dokku/$1" | xargs -r docker rm -fv
  docker ps -aq --filter "label=dokku.app=$1" | xargs -r docker rm -fv
  docker rmi "dokku/$1"
  docker images -q --filter "label=dokku.app=$1" | sort -u | xargs -r docker rmi -f
}
