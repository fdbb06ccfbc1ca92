# shellcheck shell=bash
# The host's package settings, for an image: mirrors, proxies, registries and certificates that this
# machine was told to use are what a container on it needs too. Sourced.

# host_release: its distribution and release, as in "debian bookworm".
host_release() { (. /etc/os-release && echo "$ID ${VERSION_CODENAME:-}"); }

# host_sources: the distribution's own package sources, without those of third parties, as lines of a
# sources.list.
# shellcheck disable=SC2016 # apt-get fills these in
host_sources() {
  local id
  id=$(host_release) id=${id%% *}
  apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' "Created-By: Packages" "Origin: ${id^}" 2>/dev/null || true
}

# host_settings RELEASE CONTEXT: lays files for an image of that release: CONTEXT/host is what must be
# there before packages are installed, CONTEXT/settings what goes in after.
host_settings() {
  local before=$2/host after=$2/settings/etc
  mkdir -p "$before" "$after"
  [ "$1" != "$(host_release)" ] || package_sources "$before/etc/apt"
  package_proxies "$before/etc/apt/apt.conf.d"
  certificates "$before"
  # Only what leads to a registry: other settings may name files that an image has not.
  copy_lines /etc/pip.conf '^\[|^(extra-)?index-url *=|^trusted-host *=|^proxy *=|^cert *= */etc/ssl/certs/ca-certificates.crt' "$after/pip.conf"
  copy_lines /etc/gemrc '^:?(sources|http_proxy|ssl_verify_mode)|^ *- ' "$after/gemrc"
  copy_lines "$(npm_settings)" '^(@[^=]*:)?registry *=|^(https?-)?proxy *=|^noproxy *=|^strict-ssl *=|^//' "$after/npmrc"
}

# package_sources DIR: none of the image's own remain.
package_sources() {
  local sources
  sources=$(host_sources)
  [ -n "$sources" ] || return 0
  mkdir -p "$1/sources.list.d"
  printf '%s\n' "$sources" >"$1/sources.list"
  : >"$1/sources.list.d/debian.sources"
  : >"$1/sources.list.d/ubuntu.sources"
}

package_proxies() {
  local proxies
  proxies=$(apt-config dump --format '%f "%v";%n' Acquire::http Acquire::https 2>/dev/null | grep -i '::proxy') || return 0
  mkdir -p "$1"
  printf '%s\n' "$proxies" >"$1/90host"
}

# certificates ROOT: authorities that were added on this machine; the bundle with them is needed until
# the image's own has been made.
certificates() {
  local added=/usr/local/share/ca-certificates
  [ -n "$(find "$added" -name '*.crt' -print -quit 2>/dev/null)" ] || return 0
  mkdir -p "$1$added" "$1/etc/ssl/certs"
  cp -rL "$added/." "$1$added"
  cp -L /etc/ssl/certs/ca-certificates.crt "$1/etc/ssl/certs"
}

npm_settings() { npm config get globalconfig 2>/dev/null || echo /etc/npmrc; }

# copy_lines FILE PATTERN TARGET: no target when no line is left but headers of sections.
copy_lines() {
  if grep -sqE "$2" "$1" && grep -hE "$2" "$1" | grep -qv '^\['; then grep -hE "$2" "$1" >"$3"; fi
}
