#!/usr/bin/env bash
# The pages as a browser sees them: parts that are there once it has read them, and nothing that
# names of files smuggle in. Run as: pages.sh SAMPLE
set -euo pipefail
sample=$(realpath "$1")
if ! browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome); then
    echo 'pages: skipped: there is no chromium here'
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/pages"
"$sample" "$work/pages"

# The document as the browser has it, without the data of pictures.
read_page() {
    HOME=$work "$browser" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
        --disable-background-networking --disable-component-update --disable-sync \
        --disable-dev-shm-usage --user-data-dir="$work/profile" --dump-dom "file://$work/pages/$1" \
        2>"$work/log" | sed -E 's/base64,[A-Za-z0-9+\/=]*/base64,/g' >"$work/$1"
    [ -s "$work/$1" ] || { echo "$1: the browser shows nothing:"; cat "$work/log"; exit 1; }
}

failures=0
# expect FILE COUNT PATTERN: so many lines match it
expect() {
    local found
    found=$(grep -cE -- "$3" "$work/$1" || true)
    if [ "$found" -ne "$2" ]; then
        echo "$1: $3: expected on $2 lines, got $found"
        failures=$((failures + 1))
    fi
}

read_page report.html
expect report.html 1 '<html lang="en">'
expect report.html 1 '<title>bottle</title>'
expect report.html 1 '<h1>bottle</h1>'
expect report.html 7 '<h2>'
expect report.html 1 '<h2>Worst misses</h2>'
expect report.html 3 '<table>'
expect report.html 4 '<svg '
expect report.html 4 'class="plot" role="img" aria-label="[^"]+"'
expect report.html 12 '<img class="small" width="48" height="48" alt="[^"]+" src="data:image/png;base64,">'
expect report.html 12 '<img'
expect report.html 1 '<dt>epochs</dt>'
expect report.html 0 '<script|onerror="|<img src="x'
expect report.html 1 '&lt;script&gt;document.title=.run.&lt;/script&gt;'
expect report.html 0 '(src|href)="(https?:)?//|@import|url\(.?http'

read_page runs.html
expect runs.html 1 '<h1>Three runs on bottle</h1>'
expect runs.html 1 '<th scope="col">epochs</th>'
expect runs.html 0 '<th scope="col">seed</th>'
expect runs.html 1 '<dt>seed</dt>'
expect runs.html 1 '<svg '
expect runs.html 0 '<script'
expect runs.html 1 'runs/&lt;script&gt;'

read_page benchmark.html
expect benchmark.html 1 '<h1>Benchmark on digits</h1>'
expect benchmark.html 3 '<h2>'
expect benchmark.html 2 '<table>'
expect benchmark.html 1 '<p class="lead">patch has the highest mean AUROC'
expect benchmark.html 1 '<th scope="col">8</th>'
expect benchmark.html 1 '<svg '
expect benchmark.html 1 'class="plot" role="img" aria-label="[^"]+"'
expect benchmark.html 34 '<circle '
expect benchmark.html 1 '<p>Without its learned parts patch loses'
expect benchmark.html 1 '<p>patch: 33 cells, '
expect benchmark.html 0 '<script|nan'
expect benchmark.html 0 '(src|href)="(https?:)?//|@import|url\(.?http'
[ "$failures" -eq 0 ]
