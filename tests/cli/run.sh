#!/usr/bin/env bash
# Runs one case, NAME.sh, in an empty folder with `anogan` in the PATH, and compares what it prints
# on stdout and stderr with NAME.out and NAME.err (none: it must print nothing) and its exit status
# with 0. Run as: run.sh NAME ANOGAN SOURCE_ROOT; with ACCEPT=1 it writes what it got instead.
set -uo pipefail
name=$1
program=$(realpath "$2")
cases=$(realpath "$(dirname "$0")")
SOURCE_ROOT=$(realpath "$3")
export SOURCE_ROOT
PATH=$(dirname "$program"):$(dirname "$program")/../tests/cli:$PATH # which has peak

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/place" "$work/got" && cd "$work/place" || exit 1
export ARGP_HELP_FMT='' LC_ALL=C.UTF-8
bash -euo pipefail -c '. "$1/fixtures.sh"; . "$1/$2.sh"' case "$cases" "$name" \
    >"$work/got/out" 2>"$work/got/err" </dev/null
status=$?

if [ "$status" -eq 77 ]; then # skipped
    cat "$work/got/err"
    exit 77
fi
verdict=0
for stream in out err; do
    expected=$cases/$name.$stream got=$work/got/$stream
    if [ "${ACCEPT-}" = 1 ]; then
        if [ -s "$got" ]; then cp "$got" "$expected"; else rm -f "$expected"; fi
        continue
    fi
    [ -e "$expected" ] || expected=/dev/null
    if ! diff -u --label "expected $stream" --label "got $stream" "$expected" "$got"; then
        verdict=1
    fi
done
if [ "$status" -ne 0 ]; then
    echo "the case exited with $status"
    tail -n 20 "$work/got/err"
    verdict=1
fi
exit $verdict
