# shellcheck shell=bash
# Where dokku's programs and core plugins lie, for the installation and for tests that lay them
# elsewhere. Sourced, after say.sh, with $repository set to the top of the repository.

# built NAME: the path of a program that scripts/build made.
built() { printf '%s/release/%s' "${CARGO_TARGET_DIR:-$repository/target}" "$1"; }

# lay_programs DIR: dokku under its three names. By rename: a dokku that is running keeps its file.
lay_programs() {
  local face
  install -m 755 "$(built dokku)" "$1/.dokku.new"
  mv -fT "$1/.dokku.new" "$1/dokku"
  for face in pluginhook sshcommand; do
    ln -sfn dokku "$1/.$face.new"
    mv -fT "$1/.$face.new" "$1/$face"
  done
}

# set_aside_foreign_core DIR SUMS ASIDE: core plugins (marked .core) that no installation of ours laid
# are those of a bash dokku, perhaps edited: they make room, and are kept below ASIDE.
set_aside_foreign_core() {
  local mark
  [ ! -e "$2" ] || return 0
  for mark in "$1"/*/.core; do
    [ -e "$mark" ] || continue
    mkdir -p "$3"
    mv "${mark%/.core}" "$3"
  done
  [ ! -d "$3" ] || remark "the core plugins of the dokku before are kept in $3"
}

# lay_core_plugins DIR [SUMS]: the core plugins, each with its mark .core. SUMS lists what was laid last
# time, as sha256sum does; by it a file that a user changed, moved or deleted is told from one that is
# only old, and is left to the user.
lay_core_plugins() {
  local to=$1 sums=${2:-/dev/null} stage kept=0 sum file
  local -A before=() plugins_before=()
  [ ! -e "$sums" ] || while read -r sum file; do before[$file]=$sum plugins_before[${file%%/*}]=1; done <"$sums"
  stage=$(mktemp -d)
  cp -RL "$repository/plugins/." "$stage"
  (cd "$stage" && find . -mindepth 2 -type f -printf '%P\0' | sort -z | xargs -0 sha256sum) >"$stage/.sums"

  while read -r sum file; do
    if belongs_to_user "$file"; then
      kept=$((kept + 1))
      remark "left as it is: $to/$file (changed, moved or deleted by a user)"
    else
      lay_core_file "$stage/$file" "$to/$file" "$to/${file%%/*}/.core"
    fi
  done <"$stage/.sums"
  for file in "${!before[@]}"; do
    [ -e "$stage/$file" ] || belongs_to_user "$file" || rm -f "$to/$file"
  done
  if [ "$sums" != /dev/null ]; then
    install -m 644 "$stage/.sums" "$sums.new"
    mv -fT "$sums.new" "$sums"
  fi
  rm -rf "$stage"
}

# belongs_to_user FILE: what lies at FILE, a core plugin's file or its absence, is not what we laid last
# time. Part of lay_core_plugins, whose variables it reads.
belongs_to_user() {
  local plugin=${1%%/*}
  if [ -n "${before[$1]:-}" ]; then
    [ ! -e "$to/$plugin/.core" ] || [ "$(sum_of "$to/$1")" != "${before[$1]}" ]
  elif [ -d "$to/$plugin" ]; then
    [ ! -e "$to/$plugin/.core" ] # a plugin of the user's own that has the name of a core one
  else
    [ -n "${plugins_before[$plugin]:-}" ]
  fi
}

# lay_core_file SOURCE TARGET MARK: by rename; a TARGET that is there keeps its mode.
lay_core_file() {
  local mode=644
  [ ! -x "$1" ] || mode=755
  [ ! -e "$2" ] || mode=$(stat -c %a "$2")
  install -D -m "$mode" "$1" "$2.new"
  mv -fT "$2.new" "$2"
  [ -e "$3" ] || : >"$3"
}

sum_of() { [ -f "$1" ] && [ ! -L "$1" ] && sha256sum <"$1" | cut -d ' ' -f 1; }
