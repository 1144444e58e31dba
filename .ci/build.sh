#!/bin/sh
# Configures and builds a preset, quietly unless something is wrong: build.sh PRESET [TARGET...]
set -eu
preset=$1
shift
log=build/$preset.log
mkdir -p build
{ [ -f "build/$preset/build.ninja" ] || cmake --preset "$preset"; } > "$log" 2>&1 || { cat "$log" >&2; exit 1; }
cmake --build --preset "$preset" ${1:+--target "$@"} > "$log" 2>&1 || { cat "$log" >&2; exit 1; }
