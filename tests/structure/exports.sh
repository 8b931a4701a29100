#!/usr/bin/env bash
# The library exports what anogan.h declares, all of it and nothing else.
# Run as: exports.sh SOURCE_ROOT LIBRARY
set -euo pipefail
declared=$(grep -E '^ANO_API' "$1/include/anogan/anogan.h" | grep -oE 'ano_[a-z_0-9]+\(' | tr -d '(' | sort)
exported=$(nm -D --defined-only "$2" | awk '{print $3}' | sort)
[ -n "$declared" ]
diff <(echo "$declared") <(echo "$exported") && exit 0
echo "'<' is declared but not exported, '>' exported but not declared"
exit 1
