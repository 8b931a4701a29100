# What scoring says of models that were calibrated, otherwise calibrated, or not at all.
make_bars bars
anogan train bars --out run --normal 1 --epochs 1 --no-test "${small[@]}" --quiet
generator=run/weights/generator_0001.safetensors

anogan score run --json --quiet | grep -cE '"(threshold|images)":|"(index|class|score|anomalous)": '
anogan score run --iterations 5 --quiet | wc -l
anogan score run --tolerance 0.02 --quiet | wc -l
anogan score run --search lbfgs --quiet | wc -l
anogan score $generator --quiet | grep -cE '^[0-9]+,[19],[0-9.]+,$'
anogan score $generator --quiet --json | grep -c '"anomalous": null'
run anogan score $generator --quiet --fail-on-anomaly
run anogan score run/weights/discriminator_0001.safetensors

# A generator on the way is tested like the model, with a threshold of its own.
run anogan evaluate $generator --quiet
anogan evaluate $generator --out test --quiet >/dev/null
anogan evaluate run --out end --quiet >/dev/null
cmp test/metrics.json end/metrics.json

# Another data set of the same shape will do, one of another shape will not.
mkdir wide
cp bars/* wide
printf '\x00\x00\x08\x03\x00\x00\x00\x0c\x00\x00\x00\x04\x00\x00\x00\x10' >wide/t10k-images-idx3-ubyte
tail -c +17 bars/t10k-images-idx3-ubyte >>wide/t10k-images-idx3-ubyte
run anogan score run wide
