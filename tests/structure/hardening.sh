#!/usr/bin/env bash
# The program and the library are built so that memory errors are hard to use: position-independent,
# addresses resolved at the start and read-only from then on, no stack that can be executed, canaries, checked
# copies, no segment that can be both written and executed. Run as: hardening.sh PROGRAM LIBRARY
set -euo pipefail
failures=0

# check FILE WHAT TEXT: the text, a regular expression, is among what readelf says of the file.
check() {
    grep -qE "$3" <<<"$said" || {
        echo "$1: $2"
        failures=$((failures + 1))
    }
}

for file in "$@"; do
    said=$(readelf --wide --file-header --program-headers --dynamic --dyn-syms "$file")
    check "$file" 'is not position-independent' '^ *Type: +DYN '
    check "$file" 'has addresses that stay writable: no RELRO' '^ *GNU_RELRO '
    check "$file" 'resolves addresses late: not linked with -z now' 'BIND_NOW|Flags: .*NOW'
    check "$file" 'has a stack that can be executed' '^ *GNU_STACK .* RW +0x'
    check "$file" 'has no canaries on its stack' ' __stack_chk_fail(@|$| )'
    check "$file" 'calls no checked function: not fortified' ' __[a-z]+_chk(@|$| )'
    if grep -qE '^ *LOAD .* RWE ' <<<"$said"; then
        echo "$file: has memory that can be written and executed"
        failures=$((failures + 1))
    fi
done
[ "$failures" -eq 0 ]
