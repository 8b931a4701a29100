#!/usr/bin/env bash
# Every header compiles alone; the public one also as C++, where there is a C++ compiler, and with
# nothing but its own folder to search. Run as: headers.sh SOURCE_ROOT CC...
set -euo pipefail
cd "$1"
shift
compile() { "$@" -fsyntax-only -Wall -Wextra -Werror -; }

failures=0 headers=0
try() { # NAME COMMAND...
    local name=$1
    shift
    headers=$((headers + 1))
    if ! echo "#include \"$name\"" | compile "$@"; then
        echo "$name: does not compile alone"
        failures=$((failures + 1))
    fi
}

strict=(-std=c17 -D_POSIX_C_SOURCE=200809L -pedantic)
try anogan/anogan.h "$@" "${strict[@]}" -Iinclude -x c
if command -v c++ >/dev/null; then
    try anogan/anogan.h c++ -std=c++11 -pedantic -Iinclude -x c++
    # … with initialisers, ANO_X_INIT for an ano_x, that are ones there too.
    initialisers=$(mktemp)
    trap 'rm -f "$initialisers"' EXIT
    while IFS= read -r name; do
        echo "extern const ${name,,} a_${name,,};"
        echo "const ${name,,} a_${name,,} = ${name}_INIT;"
    done < <(sed -nE 's/^#define (ANO_[A-Z_]+)_INIT\b.*/\1/p' include/anogan/anogan.h) >"$initialisers"
    test -s "$initialisers"
    try "$initialisers" c++ -std=c++11 -pedantic -Iinclude -include anogan/anogan.h -x c++
fi
while IFS= read -r header; do
    try "$header" "$@" "${strict[@]}" -Iinclude -Isrc -I. -x c
done < <(find src -name '*.h' -printf '%P\n' | sort; find cli -name '*.h' | sort)

echo "$headers headers, $failures failed"
[ "$failures" -eq 0 ]
