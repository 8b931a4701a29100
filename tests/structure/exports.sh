#!/usr/bin/env bash
# The library exports the functions that anogan.h declares, all of them and nothing else.
# Run as: exports.sh SOURCE_ROOT LIBRARY CC...
set -euo pipefail
root=$1 library=$2
shift 2
declared=$("$@" -E -P "-I$root/include" "$root/include/anogan/anogan.h" | grep -v '^typedef' |
    grep -oE '\bano_[a-z_0-9]+\(' | tr -d '(' | sort)
exported=$(nm -D --defined-only "$library" | awk '{print $3}' | sort)
[ -n "$declared" ]
# Programs ask for the library by this name, which changes where they no longer run with it.
readelf -d "$library" | grep -q 'Library soname: \[libanogan\.so\.0\]' || {
    echo "the library's soname is not libanogan.so.0"
    exit 1
}
diff <(echo "$declared") <(echo "$exported") && exit 0
echo "'<' is declared but not exported, '>' exported but not declared"
exit 1
