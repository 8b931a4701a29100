#!/usr/bin/env bash
# Feeds the program bad inputs. Each is a pair in bad/: NAME.sh makes the input, by the functions below
# and those of fixtures.sh, and ends in one command, `anogan …`; NAME.txt is what that must say on
# stderr, and its exit code. Each runs in an empty folder of its own; what it spoils are copies of the
# data set $bars and of the run folder ../../run with its $model.
# Run as: bad_inputs.sh ANOGAN SOURCE_ROOT [NAME...]; with ACCEPT=1 it writes what it got instead.
set -euo pipefail
cases=$(realpath "$(dirname "$0")")/bad
PATH=$(dirname "$(realpath "$1")"):$(realpath "$(dirname "$1")/../tests/cli"):$PATH
shift 2
. "$cases/../fixtures.sh"
export ARGP_HELP_FMT='' LC_ALL=C.UTF-8

# ---- what cases use ----

# 8 little-endian bytes of a number.
little_endian() { local i; for ((i = 0; i < 64; i += 8)); do printf "\\x$(printf %02x $(($1 >> i & 255)))"; done; }

# header_of FILE: the JSON header of a safetensors file.
header_of() { tail -c +9 "$1" | head -c "$(header_length "$1")"; }
header_length() { od -An -tu8 -N8 "$1" | tr -d ' '; }

# edit_model FROM TO SED_EXPRESSION...: a model whose header is edited. The header's text is JSON, the
# metadata in it JSON in a string, \"version\":1 and so on.
edit_model() {
    local from=$1 to=$2 length expressions=() expression
    shift 2
    for expression; do expressions+=(-e "$expression"); done
    length=$(header_length "$from")
    header_of "$from" | sed "${expressions[@]}" >header
    { little_endian "$(stat -c %s header)"; cat header; tail -c +$((9 + length)) "$from"; } >"$to"
    rm header
}

# spoil FROM TO OFFSET BYTES: a copy with other bytes, as printf has them, so far before its end.
spoil() {
    local size
    size=$(stat -c %s "$1")
    { head -c $((size - $3)) "$1"; printf "$4"; tail -c "$3" "$1" | tail -c +$(($(printf "$4" | wc -c) + 1)); } >"$2"
}

# write_safetensors HEADER BYTES_OF_DATA
write_safetensors() { little_endian ${#1}; printf '%s' "$1"; head -c "$2" /dev/zero; }

# ---- running them ----

place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
make_bars bars
anogan train bars --out run --normal 1 --epochs 1 --conv direct --memory histograms --no-test "${small_fc[@]}" --quiet 2>/dev/null
mkdir case
model=../../run/model.safetensors bars=../../bars
failures=0 n=0
names=("$@")
[ $# -gt 0 ] || for script in "$cases"/*.sh; do names+=("$(basename "$script" .sh)"); done
for name in "${names[@]}"; do
    expected=$cases/$name.txt
    mkdir case/"$name"
    code=0
    (cd case/"$name" && . "$cases/$name.sh") >/dev/null 2>got </dev/null || code=$?
    echo "exit $code" >>got
    n=$((n + 1))
    if [ "${ACCEPT-}" = 1 ]; then
        cp got "$expected"
    elif ! diff -u --label "expected of $name" --label got "$expected" got; then
        failures=$((failures + 1))
    fi
    chmod -R u+w case/"$name"
    rm -rf "case/$name"
done
echo "$n bad inputs, $failures failed"
[ "$failures" -eq 0 ]
