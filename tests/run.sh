#!/bin/sh
# Installs what is missing, builds, and passes the tests: tests/run.sh [PRESET]
# PRESET: release (default: quick and full tests), dev, asan-ubsan or tsan (quick tests).
set -eu
cd "$(dirname "$0")/.."
preset=${1:-release}
# shellcheck disable=SC2046
.ci/install.sh $(cat .ci/packages)
case $preset in
  release) .ci/build.sh "$preset" ;;
  *) .ci/build.sh "$preset" quick_tests ;;
esac
ctest --preset "$preset" -j "$(nproc)"
