#!/bin/sh
# Compares the program of this checkout with that of another commit (default: origin/main), both
# built anew, in turns on this machine. Fails where more than a tenth of the speed is lost.
#
#     tests/bench/gate.sh [COMMIT] [OPTION OF osiiso_bench_commands]...
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
commit=${1:-origin/main}
[ $# -eq 0 ] || shift
base=$root/build/base

build() {  # FOLDER TARGET OPTION...
  folder=$1 target=$2
  shift 2
  (cd "$folder" && cmake --preset release "$@" >/dev/null)
  cmake --build "$folder/build/release" --target "$target" >/dev/null
}

git -C "$root" worktree remove --force "$base" 2>/dev/null || true
git -C "$root" worktree add --force --detach "$base" "$commit"
trap 'git -C "$root" worktree remove --force "$base"' EXIT

build "$base" osiiso_program -DOSIISO_TESTS=OFF
build "$root" osiiso_bench_commands
"$root/build/release/osiiso_bench_commands" --base "$base/build/release/osiiso" "$@"
