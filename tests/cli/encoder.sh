# f-AnoGAN from the command line: an encoder is trained after its GAN, scores without a search, and is
# where a short search begins; the GAN serves the searches of the other methods too.
make_textures parts 16 16 5 11 5 11
how=(--method encoder --size 16 --base-width 16 --latent 4 --batch 8 --held-out 6 --alpha 0.2 --threads 1)
run anogan train parts --out run --epochs 12 "${how[@]}" --quiet >table
awk '/^anogan /{print $1, $2}' table
head -1 run/loss.csv
awk -F, 'NR > 1 {print $1, $2 != 0 ? "gan" : "encoder", $5 != 0}' run/loss.csv
ls run/weights
anogan info run | grep -vE '^ ' | sed 's/from .*/from LOW to HIGH/'
anogan score run parts/test --json --quiet | grep -v summary |
    sed -E 's/.*"class":"([a-z]*)".*"decision":"([a-z]*)".*/\1 \2/' | sort | uniq -c

# By other methods, of which one is kept as the run's.
for method in fc latent hybrid; do
    run anogan calibrate run parts --method $method --split test --normal good --iterations 20 --quiet
done
anogan info run | grep '^by method'
run anogan score run parts/test/good/1.pgm --method patch --quiet

# Without a search there is no trace, and nothing is written.
run anogan score run parts/test --method encoder --trace trace.csv --quiet
run anogan evaluate run --method encoder --trace trace.csv --out tested --quiet
for method in encoder vae patch; do
    run anogan train parts --out traced --epochs 2 "${how[@]}" --method $method --trace trace.csv --quiet
done
ls
anogan score run parts/test/good --method hybrid --trace trace.csv --quiet >scores.csv
wc -l <trace.csv

# Beside the score of either, how far an image and what was generated are apart to the encoder, where it is
# asked for; all else of a line stays.
for method in encoder hybrid; do
    anogan score run parts/test/good --method $method --z-distance --quiet 2>errors >distances.csv
    anogan score run parts/test/good --method $method --quiet 2>errors | cut -d, -f1-5 >scores.csv
    cut -d, -f1-5 distances.csv | cmp - scores.csv
    awk -F, 'NR == 1 {print $7} NR > 1 {print ($7 >= 0 && $7 < 4 ? "distance" : $0)}' distances.csv | uniq -c
done
anogan score run parts/test/good/1.pgm --method encoder --z-distance --json --quiet 2>errors | grep -o z_distance
touch empty.png
run anogan score run empty.png --method encoder --z-distance --quiet
run anogan score run parts/test --method latent --z-distance --quiet
run anogan train parts --out short --epochs 1 "${how[@]}" --quiet
