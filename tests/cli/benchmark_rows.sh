# The rows of a benchmark: methods that only score share the models of those that train, and where
# models remember there are rows for the parts of their scores.
from=$SOURCE_ROOT/data/mnist-1-vs-9
gzip -dc "$from/t10k-images-idx3-ubyte.gz" | tail -c +17 >pixels
gzip -dc "$from/t10k-labels-idx1-ubyte.gz" | tail -c +9 | od -An -v -tu1 -w1 | tr -d ' ' >labels
digits() { # FOLDER NAME FIRST N: n test images of MNIST's 1s and of its 9s, from the first such ones on
    local label at=() classes=''
    for label in 1 9; do
        at+=($(grep -n "^$label\$" labels | sed -n "$3,$(($3 + $4 - 1))p" | cut -d: -f1))
        classes+=$(printf "\\\\x%02x%.0s" $(for ((i = 0; i < $4; i++)); do echo $label x; done))
    done
    mkdir -p "$1"
    { printf "$(big_endian 2051)$(big_endian ${#at[@]})$(big_endian 28)$(big_endian 28)"
      for i in "${at[@]}"; do tail -c +$((784 * (i - 1) + 1)) pixels | head -c 784 || true; done
    } >"$1/$2-images-idx3-ubyte"
    printf "$(big_endian 2049)$(big_endian ${#at[@]})$classes" >"$1/$2-labels-idx1-ubyte"
}
digits two train 1 60
digits two t10k 61 20
tiny=(--base-width 4 --latent 4 --batch 8 --epochs 2 --iterations 3 --restarts 1 --conv direct --threads 1
      --baselines none --quiet)

# Two rows of one model: it is trained once. Rows that are added later find the model that is there.
anogan benchmark two --out table "${tiny[@]}" --methods latent,fc >printed
ls table/cells table/runs table/logs
grep -oE '^(fc|latent): .*' printed | sed -E 's/[0-9]+ s /N s /g'
sum() { find table/runs -name model.safetensors | sort | xargs cksum; }
sum >before
cut -d, -f1-5,8- table/benchmark.csv >lines
anogan benchmark --resume table --methods fc,encoder,hybrid,latent --quiet >/dev/null
ls table/runs
sum | grep -cxFf before
cut -d, -f1-5,8- table/benchmark.csv | grep -cxFf lines

# A cell that is done again gets the same figures, and its model is not trained again.
rm table/cells/9-latent-0.json
anogan benchmark --resume table --quiet >/dev/null
cut -d, -f1-5,8- table/benchmark.csv | grep -cxFf lines
grep -c 'epoch   1 of 2' table/logs/9-fc-0.txt

# The figures are those of the run, and of the run turned to the other method by hand.
cp -r table/runs/1-fc-0 by_hand
figure() { grep -m1 -oE "\"$1(_calibrated)?\": [0-9.e-]+" | sed 's/.* //' | xargs printf '%.6f\n'; }
same() { # FIGURE CELL
    anogan evaluate by_hand --quiet --json --out evaluated >evaluated.json
    cmp <(figure "$1" <evaluated.json) <(figure "$1" <"table/cells/$2")
}
same auroc 1-fc-0.json
same accuracy 1-fc-0.json
anogan calibrate by_hand two --split test --normal 1 --method latent --iterations 3 --restarts 1 --quiet
same auroc 1-latent-0.json
anogan benchmark two --out given "${tiny[@]}" --methods latent --classes 1 --feature-weight 0.5 --clip tanh >/dev/null
grep -E '"(feature-weight|clip|iterations|samples|search-rate)"' given/config.json
grep -cE '"(feature-weight|samples|search-rate)"' table/config.json || true # each method's own

# What is remembered, and the parts of the score that come of it.
anogan benchmark two --out ablation "${tiny[@]}" --methods fc,vae,patch --memory histograms,random --seeds 2 >printed
cut -d, -f1-4,11 ablation/benchmark.csv | grep '^1'
grep -E 'unlearned' ablation/benchmark.csv | cut -d, -f1,3,5 | sort -u | grep -c . # the same whatever the method
grep -oE '^[a-z]+ (alone|unlearned)' printed | sort | uniq -c
grep -oE '^Without its learned parts [a-z]+ (loses|gains) [0-9]\.[0-9]{4} in the mean' printed | sed 's/loses.*//; s/gains.*//'
grep -oE '"part_of": "[a-z]+"' ablation/benchmark.json | sort | uniq -c
grep -cE 'vae (alone|unlearned)<' ablation/benchmark.html
grep -o '"memory": .*' ablation/config.json ablation/runs/1-fc-0/config.json
# Nothing plain is remembered: there is nothing to be without what was learned.
anogan benchmark two --out features "${tiny[@]}" --methods fc --classes 1 --memory features >printed
grep -oE '^fc (alone|unlearned)' printed | sort -u
anogan benchmark two --out nothing "${tiny[@]}" --methods patch --classes 1 --memory none >printed
grep -cE 'alone|unlearned' printed || true

# A row that fails costs those of the same model nothing.
run anogan benchmark two --out failing "${tiny[@]}" --methods fc,latent --classes 1 --feature-block 5 >printed
grep exit printed
ls failing/cells

# What a row cannot do is refused before anything is trained.
run anogan benchmark two --out refused "${tiny[@]}" --methods fc,latent --search lbfgs
run anogan benchmark two --out refused "${tiny[@]}" --methods hybrid --feature-weight 2
run anogan benchmark --resume table --memory all
ls -A refused
