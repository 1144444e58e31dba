#!/bin/sh
# Installs the Debian packages named as arguments that are not there yet. Needs root, or sudo.
set -eu
missing=
for package in "$@"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
    missing="$missing $package"
done
[ -n "$missing" ] || exit 0

as_root=
[ "$(id -u)" = 0 ] || as_root=sudo
log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "installing:$missing" >&2
# shellcheck disable=SC2086
{
  $as_root apt-get update &&
    $as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y --no-install-recommends $missing
} > "$log" 2>&1 </dev/null || { cat "$log" >&2; exit 1; }
