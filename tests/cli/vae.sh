# A variational autoencoder from end to end: trained, interrupted and resumed, scored, explained.
make_bars bars
vae=(--method vae --normal 1 --epochs 3 --rate 1e-3 "${small[@]}")
anogan train bars --out run "${vae[@]}" --anomaly 9 --quiet >table.txt
head -1 run/loss.csv | cut -d, -f1-4
ls run/weights
grep -q AUROC table.txt
ls run/result

# A file of the epoch before goes on to the same bytes.
anogan train bars --out parts "${vae[@]}" --epochs 2 --no-test --quiet
anogan train --resume parts --epochs 3 --no-test --quiet
cmp run/model.safetensors parts/model.safetensors

# The same scores alone and among others, by any number of threads; others for other evidence.
anogan score run bars --quiet 2>errors | cut -d, -f1-3 >all.csv
anogan score run bars --normal 9 --threads 3 --quiet 2>errors | cut -d, -f1-3 >nines.csv
grep ',9,' all.csv | cmp - <(tail -n +2 nines.csv)
cmp <(tail -n +2 run/scores.csv | cut -d, -f4) <(tail -n +2 all.csv | cut -d, -f3)
for evidence in elbo reconstruction; do
    anogan score run bars --evidence $evidence --quiet 2>errors | cut -d, -f1-3 | cmp -s - all.csv && echo same
    grep -o 'calibrated for scores made in another way' errors
done

# Another way needs another calibration, which keeps it.
anogan calibrate run bars --split train --normal 1 --evidence elbo --samples 3 --quiet
anogan info run | sed -E '1,/^calibrated/s/(sigma|are from) .*/\1 …/' | grep -E 'method|sigma|encoder|dense|samples'
run anogan score run/weights/encoder_0003.safetensors bars --quiet
run anogan score run bars --evidence none --quiet
