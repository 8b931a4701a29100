# A NaN among the numbers of its memory.
spoil $model bad.safetensors 4 '\x00\x00\xc0\x7f'
anogan score bad.safetensors $bars --quiet
