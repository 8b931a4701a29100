# A detector that remembers its training images counts how far an image is from them.
train=(--normal 1 --method patch --epochs 1 --base-width 4 --batch 64 --held-out 100 --count 20 --threads 1)
ln -s "$SOURCE_ROOT/data/mnist-1-vs-9" data
anogan train data --out run "${train[@]}" --memory all >/dev/null 2>messages
grep -oE 'memory: .*' messages
grep -o '"memory": .*' run/config.json
anogan info run | grep remembers
anogan info run --json | tr -d ' \n' | grep -oE '"memory":\{("[a-z]+":\{[^}]*\},?)*\}'

# Scores depend on the images alone, and on the memory in the model's file.
anogan score run data --normal 9 --split test --quiet 2>errors | sed -n 1,40p | cut -d, -f1-4 >all
anogan score run data --normal 9 --split test --quiet --threads 2 2>errors | sed -n 1,40p | cut -d, -f1-4 | cmp - all

# What is remembered is what training was begun with.
anogan train data --out begun "${train[@]}" --memory all --no-test --quiet >/dev/null
cmp run/model.safetensors begun/model.safetensors
run anogan train --resume run --memory none

# Where nothing is said a discriminator of patches remembers all kinds, and a GAN nothing.
anogan train data --out auto "${train[@]}" --no-test >/dev/null 2>messages
grep -oE 'memory: .*' messages
anogan train data --out none "${train[@]}" --memory none --no-test >/dev/null 2>messages
grep -c 'memory: ' messages || true
anogan train data --out gan "${train[@]}" --method fc --no-test --iterations 2 --restarts 1 >/dev/null 2>messages
grep -c 'memory: ' messages || true
run anogan train data --out other --memory histograms,pixels
