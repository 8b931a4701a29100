#!/usr/bin/env bash
# Kills runs of the program at random, resumes them, and compares what they leave with what a run
# leaves that nothing happened to. A kill is in the middle of a write, a sync or a renaming, or a
# random while after any of these or of a training step; a run is killed until it happens to end.
# Run as: kills.sh ANOGAN_FAULTS SOURCE_ROOT KILLS [SEED]
set -euo pipefail
program=$(realpath "$1") kills=$3
RANDOM=${4:-1}
. "$2/tests/cli/fixtures.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
make_bars bars
options=(--normal 1 --epochs 6 --sample-every 2 --weights-every 3 --flip h "${small_fc[@]}" --batch 4 --quiet)

export ANOGAN_FAULTS=kill:0:0 ANOGAN_FAULTS_COUNT=calls
"$program" train bars --out whole "${options[@]}" >table.txt
calls=$(cat calls)
unset ANOGAN_FAULTS_COUNT

# What is compared: all but what holds seconds or says how often checkpoints were saved.
list() { (cd "$1" && find . -type f ! -name '.lock' ! -name 'checkpoint*' ! -name config.json | sort); }

compare() {
    diff <(list whole) <(list "$1") || return 1
    local file
    while IFS= read -r file; do
        case $file in
        ./loss.csv) cmp <(cut -d, -f1-5 "whole/$file") <(cut -d, -f1-5 "$1/$file") || return 1 ;;
        ./report.html) ;;
        *) cmp "whole/$file" "$1/$file" || return 1 ;;
        esac
    done < <(list "$1")
}

killed=0 runs=0 in_writes=0
while ((killed < kills)); do
    rm -rf run
    runs=$((runs + 1))
    every=(1 3 1m 1m)
    checkpoints=(--checkpoint-every "${every[RANDOM % 4]}" --keep-checkpoints $((RANDOM % 3 + 1)))
    while true; do
        if [ -e run/config.json ]; then
            command=(train --resume run --quiet)
        else
            command=(train bars --out run "${options[@]}" "${checkpoints[@]}")
        fi
        at=$(((RANDOM * 32768 + RANDOM) % calls + 1)) spins=$((RANDOM % 2 * RANDOM * 30))
        ((killed < kills)) || at=0
        code=0
        { ANOGAN_FAULTS=kill:$at:$spins "$program" "${command[@]}" >run.txt 2>&1; } 2>/dev/null || code=$?
        [ "$code" = 137 ] || break
        killed=$((killed + 1))
        ((spins > 0)) || in_writes=$((in_writes + 1))
        # Nothing that is in its place is half-written.
        for file in $(find run -name '*.safetensors' ! -name 'checkpoint*'); do
            "$program" info "$file" >/dev/null
        done
    done
    if [ "$code" != 0 ] || ! compare run || ! diff table.txt <(sed -n "s/^run/whole/; /^anogan: /!p" run.txt); then
        echo "after $killed kills: exit code $code of: anogan ${command[*]}"
        cat run.txt
        exit 1
    fi
done
echo "$killed kills ($in_writes of them within a call) of $runs runs, each of $calls calls and steps:" \
    "all ended in the bytes of a run that was never killed"
