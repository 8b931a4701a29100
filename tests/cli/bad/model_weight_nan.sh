# A NaN among the weights.
n=$(($(stat -c %s $model) - 8 - $(header_length $model)))
spoil $model bad.safetensors $n '\x00\x00\xc0\x7f'
anogan score bad.safetensors $bars --quiet
