# Every way of convolving trains, is kept with the run, and goes on when the run is resumed.
make_bars bars
for way in direct winograd fft auto; do
    train=("${small_fc[@]}" --base-width 16 --conv "$way" --no-test --quiet)
    anogan train bars --out "$way" --epochs 2 "${train[@]}"
    anogan train bars --out "$way-parts" --epochs 1 "${train[@]}"
    anogan train --resume "$way-parts" --epochs 2 --no-test --quiet
    grep '"conv"' "$way-parts/config.json"
    [ "$way" = auto ] && continue # measured anew in each run
    cmp "$way/model.safetensors" "$way-parts/model.safetensors"
    # The checkpoint says how each layer is computed; any way can do this one.
    tr -d '\\"' <"$way-parts/checkpoint.safetensors" | grep -aoE 'discriminator\.conv_2:[a-z]+'
done
if cmp -s winograd/model.safetensors fft/model.safetensors; then
    echo "two ways gave the same model"
fi
