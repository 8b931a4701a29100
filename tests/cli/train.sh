# A small run from end to end: what training, scoring, evaluating and info write and print.
make_bars bars
anogan train bars --out run --normal 1 --anomaly 9 --epochs 2 "${small_fc[@]}" --quiet >table.txt
find run -type f | sed -E 's/_[0-9]+\.[0-9]+\.png$/_SCORE.png/' | sort
grep -q AUROC table.txt
wc -l <run/loss.csv
head -1 run/loss.csv
head -1 run/scores.csv
wc -l <run/scores.csv

# A folder that holds a run is not overwritten.
run anogan train bars --out run --epochs 1 "${small_fc[@]}" --quiet

# Scoring gives the numbers that the test gave, for whatever images are asked for.
anogan score run bars --quiet 2>/dev/null | cut -d, -f1-3 >all.csv
anogan score run/model.safetensors bars --quiet --normal 9 2>/dev/null | cut -d, -f1-3 >nines.csv
head -1 all.csv
grep -c . all.csv
grep ',9,' all.csv | cmp - <(tail -n +2 nines.csv)
cmp <(tail -n +2 run/scores.csv | cut -d, -f4) <(tail -n +2 all.csv | cut -d, -f3)
anogan score run --split train --quiet 2>/dev/null | grep -c ',1,'

# --fail-on-anomaly exits with 1 just when a line says so.
code=0
anogan score run --quiet --fail-on-anomaly >verdicts.csv 2>/dev/null || code=$?
[ $code = "$(grep -q ',anomalous,' verdicts.csv && echo 1 || echo 0)" ]

# The trace has a row for each image and iteration.
anogan score run --quiet --normal 1 --trace trace.csv >/dev/null 2>&1
head -1 trace.csv
wc -l <trace.csv

# A second evaluation replaces the pictures of the first.
anogan evaluate run --count 2 --quiet >/dev/null
ls run/predict | wc -l
anogan evaluate run bars --count all --quiet --json --out other >metrics.json
ls other/predict | wc -l
cmp metrics.json other/metrics.json

anogan info run | sed -E "s/are from [0-9.e+]+ to [0-9.e+]+/are from A to B/"
anogan info bars
