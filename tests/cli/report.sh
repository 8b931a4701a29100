# The page of a test, and several runs on one page.
require() { # FILE PART...: what the page must hold
    local file=$1 part
    shift
    for part in "$@"; do
        grep -qF -- "$part" "$file" || echo "$file lacks $part"
    done
}
make_bars bars
for seed in 1 2; do
    anogan train bars --normal 1 --anomaly 9 --epochs $((seed + 1)) --seed $seed --out run$seed \
        --alpha 0.2 "${small[@]}" --quiet >/dev/null
done
require run1/report.html '<h1>bars</h1>' '(alpha 0.2)' 'of 6 anomalous images are found' AUROC AUPR \
    Accuracy F1 Precision Recall 'TPR at 1 %' 'TPR at 5 %' 'Best accuracy' 'nearest neighbour' \
    'PCA, ' 'ROC curve' 'Precision and recall' 'Scores by kind' 'Losses in training' '8 x 8, gray'
grep -cE '<script|https?://[^w]' run1/report.html || true

# Where there are no losses of training, there is no plot of them.
anogan evaluate run1 --out elsewhere --quiet >/dev/null
require elsewhere/report.html 'ROC curve'
grep -c 'Losses in training' elsewhere/report.html || true

# A row for each run, with what differs; a page without --out is report.html.
run anogan report run1 run2
require report.html 'ROC curves' 'tells these images apart best' '>run1<' '>run2<' epochs
run anogan report run1 run1 run1 run1 run1 run1 run1 run1 run2 --out many.html
require many.html 'Only the first 8 runs are drawn.'

# Refused, and nothing written: other images, other labels, no results, what is no result.
cp -r run2 fewer && sed -i '$d' fewer/scores.csv
run anogan report run1 fewer --out refused.html
cp -r run2 turned && sed -i '2s/^\([^,]*,[^,]*\),0,/\1,1,/' turned/scores.csv
run anogan report run1 turned --out refused.html
run anogan report run1 nowhere --out refused.html
cp -r run2 torn && sed -i '3s/.*/torn/' torn/scores.csv
run anogan report torn --out refused.html
echo '{' >torn/metrics.json
run anogan report torn --out refused.html
ls refused.html 2>/dev/null || true
run anogan report run1 --out missing/page.html
