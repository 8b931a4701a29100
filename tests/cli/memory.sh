# A detector that remembers its training images counts how far an image is from them.
write_images() { # DIR COUNT: textures of 16 x 16
    local dir=$1 count=$2 i y x value pixels
    mkdir -p "$dir"
    for ((i = 0; i < count; i++)); do
        pixels=''
        for ((y = 0; y < 16; y++)); do
            for ((x = 0; x < 16; x++)); do
                printf -v value '\\x%02x' $((100 + (x * (5 + i % 7) + y * 3 + i * 11) % 40))
                pixels+=$value
            done
        done
        printf "P5 16 16 255\n$pixels" >"$dir/$i.pgm"
    done
}
write_images parts 60
train=(--size 16 --method patch --epochs 1 --base-width 4 --batch 8 --held-out 20 --no-test --threads 1)
anogan train parts --out run "${train[@]}" --memory all 2>messages
grep -oE 'memory: .*' messages
grep -o '"memory": .*' run/config.json
anogan info run | grep remembers
anogan info run --json | tr -d ' \n' | grep -oE '"memory":\{("[a-z]+":\{[^}]*\},?)*\}'

# Scores depend on the images alone, and on the memory in the model's file.
anogan score run parts --quiet | cut -d, -f1-4 >all
anogan score run parts --quiet --threads 2 | cut -d, -f1-4 | cmp - all
anogan score run parts/7.pgm --quiet | cut -d, -f1-4 | tail -1 | grep -qxFf - all

# What is remembered is what training was begun with.
anogan train parts --out begun "${train[@]}" --memory all --quiet
cmp run/model.safetensors begun/model.safetensors
run anogan train --resume run --memory none

# Where nothing is said a discriminator of patches remembers vectors, an autoencoder a network beside
# some, and a GAN nothing.
anogan train parts --out auto "${train[@]}" --quiet
anogan info auto | grep remembers
anogan train parts --out vae "${train[@]}" --method vae --latent 4 --quiet
anogan info vae | grep remembers
anogan train parts --out none "${train[@]}" --memory none 2>messages
grep -c 'memory: ' messages || true
anogan train parts --out gan "${train[@]}" --method fc --iterations 2 --restarts 1 2>messages
grep -c 'memory: ' messages || true

# With too few images there is no memory, and that is said.
write_images few 12
anogan train few --out few_run "${train[@]}" --held-out 2 2>messages
grep -oE 'memory: .*' messages
run anogan train parts --out other --memory histograms,pixels

# Maps are the method's or those of what is remembered, and say nothing new of the scores.
for map in method histograms random features transforms all; do
    anogan score run parts/7.pgm parts/50.pgm --maps "maps_$map" --map "$map" --quiet 2>/dev/null | cut -d, -f1-4 |
        tail -n +2 | grep -vxFf all || true
    ls "maps_$map"
done
for map in histograms random features transforms all; do
    cmp -s maps_method/50.pgm_map.png "maps_$map/50.pgm_map.png" || echo "$map: another map"
done
run anogan score vae parts --maps none --map random
run anogan score none parts --maps none --map all
run anogan score run parts --map all

# The first files did not have the highest values of maps; they serve, by another scale.
mkdir old
sed 's/\(sd\\":[0-9.e-]*,\\"\)map_high/\1not_high/g' run/model.safetensors >old/model.safetensors
grep -ao not_high old/model.safetensors | wc -l
anogan score old/model.safetensors parts/7.pgm parts/50.pgm --maps maps_old --map all --quiet 2>/dev/null | cut -d, -f1-4 |
    tail -n +2 | grep -vxFf all || true
cmp -s maps_all/50.pgm_map.png maps_old/50.pgm_map.png || echo another scale

# The map of an image in tiles, which comes in pieces, is the same among others of other sizes.
write_noise() { # FILE WIDTH HEIGHT SEED
    local i value pixels='' width=$2 height=$3 state=$4
    for ((i = 0; i < width * height; i++)); do
        state=$(((state * 1103515245 + 12345) % 2147483648))
        printf -v value '\\x%02x' $((80 + state / 65536 % 100))
        pixels+=$value
    done
    printf "P5 $width $height 255\n$pixels" >"$1"
}
mkdir -p large
for ((n = 0; n < 36; n++)); do write_noise "large/$n.pgm" 20 24 $n; done
anogan train large --out tiles --tile 16 --epochs 1 --base-width 4 --batch 8 --held-out 8 --no-test --threads 1 --quiet
anogan info tiles | grep remembers
write_noise narrow.pgm 16 90 77
write_noise wide.pgm 64 90 78
for map in method features all; do
    anogan score tiles narrow.pgm wide.pgm --maps both_$map --map $map --threads 1 --quiet >/dev/null 2>&1
    anogan score tiles wide.pgm --maps one_$map --map $map --threads 1 --quiet >/dev/null 2>&1
    cmp one_$map/wide.pgm_map.png both_$map/wide.pgm_map.png
done
cmp -s one_all/wide.pgm_map.png one_features/wide.pgm_map.png || echo another map
mkdir -p labelled/test/good labelled/test/bad
cp parts/5?.pgm labelled/test/good
cp parts/1?.pgm labelled/test/bad
anogan evaluate run labelled --map features --out tested --quiet 2>/dev/null | grep predict/
grep -A1 '>map</dt>' tested/report.html
run anogan evaluate vae labelled --map random --out tested --quiet
