# A discriminator of patches, trained on tiles of even textures on which it draws anomalies: it finds
# a spot that it has never seen, resumes to the byte, and says what it is.
make_textures parts 40 32 12 20 8 15
how=(--method patch --conv direct --tile 16 --stride 8 --base-width 16 --batch 8 --rate 0.002 --held-out 6 --pool max --threads 1)
run anogan train parts --out run --epochs 12 "${how[@]}" --quiet >table
awk '/^anogan /{print $1, $2}' table
head -1 run/loss.csv
ls run/weights run/predict | sed -E 's/_-?[0-9.]+\.png$/_SCORE.png/'
grep -c 'Losses in training' run/report.html

anogan train parts --out begun --epochs 5 "${how[@]}" --quiet --no-test
anogan train --resume begun --epochs 12 --quiet --no-test
cmp run/model.safetensors begun/model.safetensors

# Maps, but nothing that was generated.
anogan score run parts/test/spot/1.pgm --maps maps --quiet >/dev/null
ls maps
anogan info run | grep -vE '^ ' | sed 's/from .*/from LOW to HIGH/'
run anogan train parts --out other --method guess
run anogan train --resume run --method fc
