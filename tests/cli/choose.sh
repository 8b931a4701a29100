# Trained on tiles, a detector's pool is chosen on normal images that are kept out of training and of
# calibration, and on the same with anomalies drawn onto them.
write_images() { # DIR COUNT: textures of 24 x 20, every fourth image cut short
    local dir=$1 count=$2 i y x value pixels
    mkdir -p "$dir"
    for ((i = 0; i < count; i++)); do
        pixels=''
        for ((y = 0; y < 20 && i % 4 < 3; y++)); do
            for ((x = 0; x < 24; x++)); do
                printf -v value '\\x%02x' $((100 + (x * 7 + y * 3 + i * 11) % 40))
                pixels+=$value
            done
        done
        printf "P5 24 20 255\n$pixels" >"$dir/$i.pgm"
    done
}
tiles=(--method fc --tile 8 --stride 4 --batch 8 --base-width 4 --latent 4 --held-out 9 --iterations 4 --restarts 1 --threads 1)
write_images parts 40
anogan train parts --out run --epochs 2 "${tiles[@]}" >/dev/null 2>messages

# No image is used twice: of the ten that are cut short 5 are left out of training and 4 of those held
# out, which leaves one of the 8 that the pool was to be chosen on.
grep -oE 'images left out.*|[0-9]+ of 9 held-out.*|pool [a-z].*' messages
grep -o '"pool": .*' run/config.json

# The model knows its pool, and what reads the run takes it.
pool=$(grep -oE 'pool [a-z:0-9.]+: best' messages | cut -d' ' -f2 | sed 's/:$//')
anogan info run | tail -1 | grep -qF "($pool of the map;"
anogan score run parts/1.pgm --quiet 2>errors | cut -d, -f1,3 >own
anogan score run parts/1.pgm --pool "$pool" --quiet 2>errors | cut -d, -f1,3 | cmp - own
anogan score run parts/1.pgm --pool auto --quiet 2>errors | cut -d, -f1,3 | cmp - own

# A run that goes on chooses as one that was never stopped.
anogan train parts --out begun --epochs 1 "${tiles[@]}" --quiet >/dev/null 2>&1
anogan train --resume begun --epochs 2 --quiet >/dev/null 2>&1
cmp run/model.safetensors begun/model.safetensors
run anogan train --resume run --pool max

# A pool that is given is taken, and costs no image; so do whole images, and too few.
anogan train parts --out given --epochs 1 "${tiles[@]}" --pool top:0.2 >/dev/null 2>messages
grep -oE 'images left out.*|pool [a-z].*' messages
anogan info given | tail -1
write_images few 20
anogan train few --out few_run --epochs 1 "${tiles[@]}" >/dev/null 2>messages
grep -oE 'pool [a-z].*' messages
anogan info few_run | tail -1
