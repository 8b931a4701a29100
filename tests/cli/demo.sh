# The demo replaces its own run, with nothing left of the last, but never a folder that is named.
make_bars bars
anogan demo --data bars --epochs 2 --sample-every 1 "${small[@]}" 2>progress.txt | grep -c AUROC
grep -c '^epoch   [12] of 2  d_loss ' progress.txt
grep -cE '^(calibrated: 4|scored: 12) images in ' progress.txt
anogan demo --data bars --epochs 1 --count 3 "${small[@]}" --quiet --json >metrics.json
cmp metrics.json runs/demo/metrics.json
ls runs/demo/result runs/demo/weights
ls runs/demo/predict | wc -l
touch runs/demo/weights/{patch_discriminator,encoder}_0002.safetensors
anogan demo --data bars --epochs 1 --no-test "${small[@]}" --quiet
ls runs/demo/weights
ls -p runs/demo # no results of the last run's test

anogan demo --data bars --out named --epochs 1 --no-test "${small[@]}" --quiet
ls named
run anogan demo --data bars --out named --epochs 1 "${small[@]}" --quiet

# Where nothing can be written the exit code is 5.
touch file
run anogan demo --data bars --out file/run "${small[@]}"
