#!/usr/bin/env bash
# Starts the machine's engine and waits until it answers.
set -euo pipefail
setsid dockerd --iptables=false --ip6tables=false < /dev/null >> "$1/engine.log" 2>&1 &
for _ in $(seq 300); do
    if docker version > /dev/null 2>&1; then exit 0; fi
    sleep 0.1
done
tail -5 "$1/engine.log" >&2
exit 1
