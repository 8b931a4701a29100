#!/usr/bin/env bash
# The manual page names every verb and every option that the program has, and no other option, and is
# well formed where there is a tool to check it. Run as: manual.sh ANOGAN SOURCE_ROOT
set -euo pipefail
anogan=$1 page=$2/docs/anogan.1
export ARGP_HELP_FMT=''
verbs=$("$anogan" --help | sed -n '/^Verbs:/,/^$/s/^  \([a-z]*\) .*/\1/p')
[ -n "$verbs" ]
has=$(for verb in $verbs; do "$anogan" "$verb" --help; done |
    grep -oE '^ +(-[^ ], )?--[a-z0-9-]+' | grep -o -- '--.*' | sort -u)
names=$(sed 's/\\-/-/g; s/\\f.//g' "$page" | grep -oE -- '(^|[^-a-z])--[a-z][a-z0-9-]*' | grep -o -- '--.*' | sort -u)
verdict=0
diff <(echo "$has") <(echo "$names") || {
    echo "'<' is an option that the page leaves out, '>' one that the program does not have"
    verdict=1
}
for verb in $verbs; do
    grep -qx "\\.B $verb" "$page" || {
        echo "the page leaves out the verb $verb"
        verdict=1
    }
done
if command -v mandoc >/dev/null; then
    # The page has no date: what it describes is dated by its version.
    found=$(mandoc -T lint -W warning "$page" | grep -v 'missing date' || true)
    [ -z "$found" ] || {
        echo "$found"
        verdict=1
    }
fi
exit $verdict
