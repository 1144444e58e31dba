#!/bin/sh
# Installs what is missing, builds the program and runs a job file: samples/run.sh [JOB [OPTIONS]]
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck disable=SC2046
"$root/.ci/install.sh" $(cat "$root/.ci/packages")
(cd "$root" && "$root/.ci/build.sh" release osiiso_program)
[ $# -gt 0 ] || set -- "$root/samples/quickstart.yaml"
exec "$root/build/release/osiiso" run "$@"
