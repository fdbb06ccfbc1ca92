# shellcheck shell=bash
# What the scripts print: steps with their times, remarks, and the one line of an error. Sourced.

say() { printf -- '-----> %s\n' "$*"; }
remark() { printf '       %s\n' "$*"; }

# fail MESSAGE: says what is wrong and what to do, and ends the script.
fail() {
  printf ' !     %s\n' "$*" >&2
  exit 1
}

# step WHAT COMMAND...: names the step, runs it, tells how long it took. Call it bare: in a condition
# bash would not end the command, a function, where it fails.
step() {
  local what=$1 began=$EPOCHREALTIME
  shift
  say "$what"
  "$@"
  remark "($(seconds_since "$began") s)"
}

# seconds_since EPOCHREALTIME: the seconds that have passed since then, with one decimal.
seconds_since() {
  local tenths=$(((${EPOCHREALTIME/[.,]/} - ${1/[.,]/}) / 100000))
  printf '%d.%d' $((tenths / 10)) $((tenths % 10))
}

need_root() {
  [ "$(id -u)" = 0 ] || fail "$0 needs root: sudo $0"
}

# usage: prints the comment at the head of the calling script, which is its help.
usage() { awk 'NR > 1 && /^#/ { sub(/^# ?/, ""); print; next } NR > 1 { exit }' "$0"; }
