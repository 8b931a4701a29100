#!/usr/bin/env bash
# The program on a disk that is full, cannot be written or is gone: it says which file, what is wrong
# and what to do, exits with 5, and the run can be gone on with to the bytes of one that nothing
# happened to. Run as: disk.sh ANOGAN_FAULTS SOURCE_ROOT
set -euo pipefail
program=$(realpath "$1")
. "$2/tests/cli/fixtures.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
make_bars bars
train() { "$program" train bars --out "$1" --normal 1 --epochs 4 --sample-every 1 "${small_fc[@]}" --no-test --quiet; }
ANOGAN_FAULTS=fail:1000000:1 ANOGAN_FAULTS_COUNT=calls train whole
calls=$(cat calls)
[ "$calls" -gt 100 ]

# From the very first call on, and from four places in the run: errno and the words for it.
while read -r errno words; do
    for at in 1 $((calls * 2 / 5)) $((calls / 2)) $((calls * 3 / 5)) $((calls * 4 / 5)); do
        code=0
        rm -rf run
        ANOGAN_FAULTS=fail:$at:$errno train run 2>message.txt || code=$?
        if [ $code != 5 ] || ! grep -q "^anogan: run.*: $words" message.txt ||
            { [ "$at" != 1 ] && ! grep -q 'train --resume run" goes on from there$' message.txt; }; then
            echo "call $at of $calls, errno $errno: exit code $code, expected 5 and '$words', got:"
            cat message.txt
            exit 1
        fi
        if [ -e run/config.json ]; then
            "$program" train --resume run --no-test --quiet
        else
            train run
        fi
        cmp whole/model.safetensors run/model.safetensors
        diff <(cut -d, -f1-5 whole/loss.csv) <(cut -d, -f1-5 run/loss.csv)
        diff <(cd whole && find . -type f | sort) <(cd run && find . -type f | sort)
        diff -r whole/weights run/weights
        diff -r whole/result run/result
    done
done <<END
28 .*No space left on device
30 .*Read-only file system
2 .*No such file or directory
5 .*Input/output error
END
