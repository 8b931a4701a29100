# Tiles that leave gaps.
edit_model $model bad.safetensors 's/\\"stride\\":0/\\"stride\\":100/'
anogan score bad.safetensors $bars --quiet
