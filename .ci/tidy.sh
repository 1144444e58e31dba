#!/bin/sh
# Clang's warnings and the checks of .clang-tidy over sources, without building anything:
# .ci/tidy.sh [FILE or FOLDER ...], all of src without one.
set -eu
cd "$(dirname "$0")/.."
# shellcheck disable=SC2046
.ci/install.sh $(cat .ci/packages) clang clang-tidy
cmake --preset tidy > /dev/null
[ $# -gt 0 ] || set -- src
git ls-files "$@" | grep '\.cpp$' | xargs -n 1 -P "$(nproc)" clang-tidy --quiet -p build/tidy
