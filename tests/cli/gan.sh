# All that the training of a GAN may have, from the command line: it is kept in config.json, stays with a
# resumed run, which ends in the bytes of one that was never stopped, and is no part of other methods.
make_bars bars
how=(--normal 1 "${small_fc[@]}" --no-test --quiet)
options=(--prior normal --spectral-norm --average 0.8 --gan-loss)
grep_options() { grep -E '"(prior|gan-loss|label-smoothing|spectral-norm|average)"' "$1/config.json"; }

anogan train bars --out default --epochs 1 "${how[@]}"
grep_options default
anogan train bars --out whole --epochs 3 "${how[@]}" "${options[@]}" bce --label-smoothing 0.1
grep_options whole
head -1 whole/loss.csv
anogan info whole | grep -o 'latent vector.*, base'

# Each epoch by a call of its own.
anogan train bars --out parts --epochs 1 "${how[@]}" "${options[@]}" bce --label-smoothing 0.1
anogan train --resume parts --epochs 2 --no-test --quiet
anogan train --resume parts --epochs 3 --no-test --quiet
cmp whole/model.safetensors parts/model.safetensors
cmp <(cut -d, -f1-5 whole/loss.csv) <(cut -d, -f1-5 parts/loss.csv)
run anogan train --resume parts --average 0.5

# The model knows its prior, whatever scores with it.
for method in fc latent; do
    anogan score whole bars --method $method --iterations 20 --quiet | wc -l
done
anogan train bars --out encoder --epochs 3 "${how[@]}" --method encoder "${options[@]}" hinge
for method in encoder hybrid; do
    anogan score encoder bars --method $method --iterations 20 --quiet | wc -l
done
grep -c '\\"prior\\":\\"normal\\"' encoder/model.safetensors
run anogan benchmark bars --methods fc,vae --spectral-norm --out table --quiet
test ! -e table/runs

# Whatever a GAN is trained for, it is watched for collapse: at such a rate none learns.
for loss in bce hinge; do
    run anogan train bars --out collapsed-$loss --epochs 12 "${how[@]}" --gan-loss $loss --rate 0.3
done
