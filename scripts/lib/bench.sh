# shellcheck shell=bash
# shellcheck disable=SC2154 # what scripts/bench sets
# The parts of scripts/bench. Sourced, after private_server.sh.

# result KIND LIMIT MEASURED YARDSTICK WHAT...: one row. Kinds: ratio (to the yardstick) and more (than the
# yardstick) of microseconds, growth (ratio) of counts, time (microseconds), count.
result() { printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$subject" "$1" "$2" "$3" "$4" "${*:5}" >>"$results"; }

# table: a line for each row, ours and, where it was measured, the other's.
table() {
  awk -F '\t' '
    function shown(kind, number) { return kind == "count" || kind == "growth" ? sprintf("%d", number) : sprintf("%.2f ms", number / 1000) }
    function is_ratio(kind) { return kind == "ratio" || kind == "growth" }
    function value(kind, measured, yardstick) {
      return is_ratio(kind) ? measured / yardstick : kind == "more" ? measured - yardstick : measured
    }
    function value_shown(kind, number) { return is_ratio(kind) ? sprintf("%.2f", number) : shown(kind, number) }
    { row = $6; if (!(row in kind)) { order[++rows] = row; kind[row] = $2; limit[row] = $3 }
      measured[$1, row] = $4; yardstick[$1, row] = $5; has[$1] = 1 }
    END {
      printf "%-50s %11s %11s %11s %11s  %-4s %s\n", "", "measured", "yardstick", "value", "limit", "", "other" in has ? "other: measured, value" : ""
      for (i = 1; i <= rows; i++) {
        row = order[i]; k = kind[row]
        printf "%-50s", row
        if (("ours", row) in measured) {
          v = value(k, measured["ours", row], yardstick["ours", row])
          printf " %11s %11s %11s %11s  %-4s", shown(k, measured["ours", row]), yardstick["ours", row] ? shown(k, yardstick["ours", row]) : "",
            value_shown(k, v), value_shown(k, limit[row]), v <= limit[row] ? "ok" : "OVER"
        } else printf "%54s", ""
        if (("other", row) in measured)
          printf "  %s, %s", shown(k, measured["other", row]), value_shown(k, value(k, measured["other", row], yardstick["other", row]))
        print ""
      }
    }' "$results"
}

median() { sort -n | awk '{ number[NR] = $1 } END { print number[int((NR + 1) / 2)] }'; }

# attempt WHAT FUNCTION...: one part of the measuring. What fails in it ends it, counts for nothing, and ends no other.
attempt() {
  local ended
  set +e
  (
    set -e
    shopt -s inherit_errexit
    "${@:2}"
  )
  ended=$?
  set -e
  [ "$ended" = 0 ] || remark "$1 broke off: $(tail -n 1 "$server/tmp/said")"
}

# timed COMMAND...: the microseconds that it takes, if it does not fail.
timed() {
  local began=${EPOCHREALTIME/[.,]/}
  "$@"
  echo $((${EPOCHREALTIME/[.,]/} - began))
}

# rounds COUNT WHAT BARE: sets $measured and $yardstick to the medians of both, which print microseconds, done in turn.
rounds() {
  local round one other both=''
  for ((round = 0; round < $1; round++)); do
    one=$("$2")
    other=$("$3")
    both+=$one\ $other$'\n'
  done
  measured=$(awk 'NF { print $1 }' <<<"$both" | median) yardstick=$(awk 'NF { print $2 }' <<<"$both" | median)
}

# root_with COUNT: a root of so many apps that are only files.
root_with() {
  local number app root=$server/apps-$1
  for ((number = 0; number < $1; number++)); do
    app=$root/app$number
    mkdir -p "$app"
    printf "export A='1'\nexport B='2'\n" >"$app/ENV"
    printf 'app%s.%s\n' "$number" "$domain" >"$app/VHOST"
    printf 'http://app%s.%s\n' "$number" "$domain" >"$app/URLS"
    printf '%064d\n' "$number" >"$app/CONTAINER"
  done
  cp "$server/home/"{VHOST,HOSTNAME,VERSION} "$root"
  chown -R dokku: "$root"
}

bench_commands() {
  local lines=('dokku version' 'dokku apps' 'dokku config:get app3 A' 'dokku urls app3' 'dokku help' '! dokku nosuch' 'dokku ls'
    'dokku domains app3' 'dokku config app3') times count i root
  local -A of=()
  for count in 10 300; do
    root_with "$count"
    root=$server/apps-$count
    mapfile -t times < <(as stopwatch 200 'bash -c true' "${lines[@]}" 2>"$server/tmp/said")
    for i in "${!lines[@]}"; do
      of[$count,$i]=${times[i + 1]}
      result ratio 0.8 "${times[i + 1]}" "${times[0]}" "${lines[i]#*dokku } ($count apps)"
    done
  done
  for i in "${!lines[@]}"; do
    result ratio 1.5 "${of[300,$i]}" "${of[10,$i]}" "${lines[i]#*dokku }: 300 apps to 10"
  done
  # As root, who becomes user dokku: what that adds.
  export DOKKU_ROOT=$server/apps-10 DOKKU_LIB_ROOT=$server/lib PLUGIN_PATH=$server/plugins
  mapfile -t times < <(PATH=$server/bin:$PATH stopwatch 200 'bash -c true' "${lines[@]}" 2>"$server/tmp/said")
  export -n DOKKU_ROOT DOKKU_LIB_ROOT PLUGIN_PATH
  for i in "${!lines[@]}"; do
    result ratio 1.2 "${times[i + 1]}" "${times[0]}" "${lines[i]#*dokku } (as root)"
  done
  result count 8388608 "$(stat -Lc %s "$server/bin/dokku")" 0 'size of the program, bytes'
  command -v strace >/dev/null || return 0
  root=$server/apps-10 as strace -f -c -o "$server/tmp/calls" dokku version >/dev/null
  result count 120 "$(awk '$NF == "total" { print $4 }' "$server/tmp/calls")" 0 'system calls of dokku version'
}

# deployed NAME KIND: pushes a sample app for the first time.
deployed() {
  [ -d "$server/$1" ] || make_app "$1" "$2"
  change "$1"
  push "$1"
}

container_of() { cat "$server/home/$1/CONTAINER"; }

bench_engine() {
  local times id
  deployed bench-node node
  id=$(container_of bench-node)
  mapfile -t times < <(as stopwatch 31 'dokku logs bench-node' "docker logs $id" 'dokku ps bench-node' "docker exec -i $id /bin/bash -c ps" 2>"$server/tmp/said")
  result more 5000 "${times[0]}" "${times[1]}" 'logs, to docker logs'
  result more 5000 "${times[2]}" "${times[3]}" 'ps, to docker exec'
}

redeploy() { change "$app" && timed push "$app"; }
# The builder alone on a container that has the tree, with the app's cache.
bare_builder() {
  local id
  id=$(docker create -v "$server/home/$app/cache:/cache" -e CACHE_PATH=/cache "$image" /build/builder)
  tar -C "$server/$app" --exclude=.git --transform 's,^\.,app,' -c . | docker cp - "$id:/"
  timed docker start -a "$id" >"$server/tmp/took" 2>&1
  docker rm -fv "$id" >/dev/null
  tail -n 1 "$server/tmp/took"
}
bare_docker_build() {
  change "$app"
  timed docker build -q -t dokku-bench/bare "$server/$app" 2>/dev/null | tail -n 1
}

bench_push() {
  local kind
  for kind in node python dockerfile; do attempt "push, $kind" redeploys "$kind"; done
  attempt 'first push' first_pushes
  docker rmi -f dokku-bench/bare >/dev/null 2>&1 || true
}

redeploys() {
  local app=bench-$1 limit=1200000 bare=bare_builder
  [ "$1" != dockerfile ] || limit=900000 bare=bare_docker_build
  deployed "$app" "$1"
  rounds 7 redeploy "$bare"
  result more "$limit" "$measured" "$yardstick" "redeploy, $1, to its build alone"
  counted_push "$app"
}

first_pushes() {
  local app=bench-node
  deployed "$app" node
  rounds 3 first_push redeploy
  result more 300000 "$measured" "$yardstick" 'first push, to a redeploy'
}

first_push() {
  as dokku apps:destroy bench-first force >"$server/tmp/said" 2>&1 || true
  [ -d "$server/bench-first" ] || make_app bench-first node
  change bench-first
  timed push bench-first
}

# counted_push NAME: what it asks of the engine until it returns.
counted_push() {
  local counted=$server/tmp/counted
  as touch "$counted"
  : >"$counted"
  change "$1" && push "$1"
  result count 14 "$(wc -l <"$counted")" 0 "$1: calls of docker in a push"
  result count 2 "$(grep -cE '^(create|run) ' "$counted")" 0 "$1: containers of a push"
  result count 1 "$(grep -c '^commit ' "$counted")" 0 "$1: commits of a push"
}

# How fast the engine is just now.
trivial() { timed docker run --rm "$image" true; }
restart() { timed as dokku ps:restart "$app" 2>&1 | tail -n 1; }
restart_all() { timed as dokku ps:restartall 2>&1 | tail -n 1; }

bench_restart() {
  local app=bench-node count
  deployed bench-node node
  rounds 7 restart trivial
  result time 1000000 "$measured" "$yardstick" 'ps:restart, beside docker run true'
  deployed bench-python python
  deployed bench-third node
  count=$(find "$server/home" -name CONTAINER | wc -l)
  rounds 5 restart_all restart
  result ratio "$count" "$measured" "$yardstick" "ps:restartall of $count apps, to ps:restart of one"
  app=bench-plain
  make_app bench-plain node
  rm "$server/bench-plain/CHECKS"
  deployed bench-plain node
  rounds 5 restart trivial
  result time 3300000 "$measured" "$yardstick" 'ps:restart without CHECKS, beside docker run true'
}

# counts NAME: layers of its image, its images and containers, files and bytes that are its own or common to all apps.
counts() {
  docker image inspect --format '{{len .RootFS.Layers}}' "dokku/$1"
  docker images -aq --filter "label=dokku.app=$1" | sort -u | wc -l
  docker ps -aq --filter "label=dokku.app=$1" | wc -l
  find "$server/home/$1" "$server/lib" "$server/tmp" -path '*/objects/*' -prune -o -type f -print | wc -l
  find "$server/home/$1" "$server/lib" "$server/tmp" -path '*/objects/*' -prune -o -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum }'
}

bench_growth() {
  local app=bench-growth before after i what=('layers' 'images' 'containers' 'files but git objects' 'bytes but git objects')
  make_app "$app" procfile
  echo "export DOKKU_WAIT_TO_RETIRE='0'" | as tee -a "$server/home/ENV" >/dev/null
  for ((i = 0; i < 3; i++)); do deployed "$app" procfile; done
  settle
  mapfile -t before < <(counts "$app")
  for ((i = 0; i < 20; i++)); do deployed "$app" procfile; done
  for ((i = 0; i < 50; i++)); do restart >/dev/null; done
  settle
  mapfile -t after < <(counts "$app")
  for i in "${!what[@]}"; do result growth 1.2 "${after[i]}" "${before[i]}" "20 redeploys, 50 restarts: ${what[i]}"; done
  as sed -i /WAIT_TO_RETIRE/d "$server/home/ENV"
}

# Lets retiring and cleaning up come to their ends.
settle() { sleep 12 && as dokku cleanup && sleep 5; }

# peak: the most resident memory, in KiB, that a dokku of this server had, until $server/tmp/watched is gone.
peak() {
  local exe most=0 now
  while [ -e "$server/tmp/watched" ]; do
    for exe in /proc/[0-9]*/exe; do
      [ "$(readlink "$exe")" = "$server/bin/dokku" ] || continue
      now=$(awk '/^VmHWM/ { print $2 }' "${exe%exe}status" 2>/dev/null) || continue
      [ "${now:-0}" -le "$most" ] || most=$now
    done
    sleep 0.05
  done
  echo "$most"
}

bench_memory() {
  local size took=() i peak_file=$server/tmp/peak
  for size in 100 200; do
    make_app "bench-$size" procfile
    # What git makes of so much noise is not what is measured.
    in_copy "bench-$size" config pack.window 0
    in_copy "bench-$size" config core.compression 0
    mkdir "$server/bench-$size/data"
    for ((i = 0; i < size / 4; i++)); do head -c 4M /dev/urandom >"$server/bench-$size/data/$i"; done
    change "bench-$size"
    : >"$server/tmp/watched"
    peak >"$peak_file" &
    took+=("$(timed push "bench-$size")")
    rm "$server/tmp/watched"
    wait $!
    result count 30720 "$(<"$peak_file")" 0 "push of $size MB: peak memory of dokku, KiB"
  done
  result ratio 2.5 "${took[1]}" "${took[0]}" 'push of 200 MB, to one of 100 MB'
}

bench_load() {
  local i said
  deployed bench-node node
  # nginx takes up a new configuration in its own time; a process with the old one, too, may answer until then.
  sleep 2
  until [ "$("$server/bin/load" "127.0.0.1:$port" "bench-node.$domain" 1 1 2>/dev/null)" = '1 0' ]; do :; done
  "$server/bin/load" "127.0.0.1:$port" "bench-node.$domain" 200 30 >"$server/tmp/load" &
  for ((i = 0; i < 6; i++)); do deployed bench-node node; done
  wait $!
  said=$(<"$server/tmp/load")
  result count 0 "${said#* }" 0 "failed of ${said% *} requests in 30 s, 6 redeploys"
}
