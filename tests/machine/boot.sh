#!/usr/bin/env bash
# The first process of a machine for tests/machine: in namespaces of its own it lays private directories over those
# that dokku and its programs use, installs dokku, starts what a server runs, and then adopts what is left behind.
#     boot.sh DIRECTORY PROGRAM PLUGINS IMAGES
set -euo pipefail
dir=$1 program=$2 plugins=$3 images=$4

# Changes to what lies there are the machine's alone.
over() {
    mkdir -p "$dir/upper$1" "$dir/work$1"
    mount -t overlay overlay -o "lowerdir=$1,upperdir=$dir/upper$1,workdir=$dir/work$1" "$1"
}

# An empty directory of the machine's in the place of another.
instead_of() {
    mkdir -p "$dir/own$1" "$1"
    mount --bind "$dir/own$1" "$1"
}

ip link set lo up
over /etc
over /usr/local/bin
for place in /home/dokku /var/lib/dokku /var/lib/docker /var/log/nginx /tmp; do instead_of "$place"; done
chmod 1777 /tmp
mount -t tmpfs tmpfs /run
mkdir -p /run/sshd /run/lock

cp "$program" "$dir/dokku"
for name in dokku pluginhook sshcommand; do
    rm -f "/usr/local/bin/$name"
    cp "$dir/dokku" "/usr/local/bin/$name"
done
cp -rL "$plugins" /var/lib/dokku/plugins
printf 'test\n' | tee /home/dokku/HOSTNAME > /home/dokku/VHOST
printf 'dokku\n' > /home/dokku/.sshcommand
install -d -m 700 /home/dokku/.ssh
touch /home/dokku/.ssh/authorized_keys
chown -R dokku: /home/dokku
chown root:dokku /var/lib/dokku && chmod 1775 /var/lib/dokku
printf '%%dokku ALL=(ALL) NOPASSWD:/etc/init.d/nginx reload, /usr/sbin/nginx -t, /usr/sbin/nginx -s reload\n' > /etc/sudoers.d/dokku-nginx
printf 'events {}\nhttp { include /home/dokku/*/nginx.conf; access_log off; }\npid /run/nginx.pid; error_log /var/log/nginx/error.log;\n' > /etc/nginx/nginx.conf

ssh-keygen -q -t ed25519 -N '' -f "$dir/key"
ssh-keygen -q -t ed25519 -N '' -f "$dir/host_key"
sshcommand acl-add dokku tester < "$dir/key.pub" > /dev/null
printf 'Port 22\nListenAddress 127.0.0.1\nHostKey %s\nUsePAM yes\nSetEnv PATH=/usr/local/bin:/usr/bin:/bin\n' "$dir/host_key" > "$dir/sshd_config"

nginx
/usr/sbin/sshd -f "$dir/sshd_config" -E "$dir/sshd.log"
"$(dirname "$0")/engine.sh" "$dir"
docker load --quiet --input "$images" > /dev/null
touch "$dir/booted"
while :; do sleep 3600; done
