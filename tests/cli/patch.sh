# A discriminator of patches, trained on tiles of even textures on which it draws anomalies: it finds
# a spot that it has never seen, resumes to the byte, and says what it is.
write_image() { # FILE SPOT(0|1) SEED: 40 x 32
    local spot=$2 seed=$3 y x value pixels=''
    for ((y = 0; y < 32; y++)); do
        for ((x = 0; x < 40; x++)); do
            value=$((100 + (x * 7 + y * 3 + seed * 11) % 40))
            ((spot && x >= 12 && x < 20 && y >= 8 && y < 15)) && value=240
            printf -v value '\\x%02x' $value
            pixels+=$value
        done
    done
    printf "P5 40 32 255\n$pixels" >"$1"
}
mkdir -p parts/train/good parts/test/good parts/test/spot
for ((i = 0; i < 24; i++)); do
    write_image parts/train/good/$i.pgm 0 $i
done
for ((i = 0; i < 4; i++)); do
    write_image parts/test/good/$i.pgm 0 $((30 + i))
    write_image parts/test/spot/$i.pgm 1 $((40 + i))
done
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
