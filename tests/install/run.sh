#!/bin/sh
# Installs a build into a fresh folder and builds a consumer against it, by CMake and by pkg-config:
# run.sh BUILD_FOLDER CXX
set -eu
build=$1
compiler=$2
here=$(cd "$(dirname "$0")" && pwd)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

cmake --install "$build" --prefix "$root/usr" > "$root/log"
cmake -S "$here/consumer" -B "$root/consumer" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" \
  -DCMAKE_PREFIX_PATH="$root/usr" >> "$root/log"
cmake --build "$root/consumer" >> "$root/log" || { cat "$root/log"; exit 1; }
"$root/consumer/consumer"

PKG_CONFIG_PATH=$(dirname "$(find "$root/usr" -name osiiso.pc)")
export PKG_CONFIG_PATH
# shellcheck disable=SC2046
"$compiler" "$here/consumer/main.cpp" -o "$root/plain" $(pkg-config --cflags --libs osiiso)
"$root/plain"

test "$("$root/usr/bin/osiiso" --version)" = 'osiiso 0.1.0'
