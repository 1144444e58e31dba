#!/bin/sh
# Builds and runs the whole benchmark: tables on standard output, and as commands.json and
# limits.json in FOLDER (default: build/bench). On a machine that does nothing else; it takes half
# an hour.
#
#     tests/bench/run.sh [FOLDER]
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
folder=${1:-$root/build/bench}
binaries=$root/build/release

mkdir -p "$folder"
(cd "$root" && cmake --preset release >/dev/null)
cmake --build "$binaries" --target bench
for part in commands limits; do
  "$binaries/osiiso_bench_$part" --json "$folder/$part.json"
done
