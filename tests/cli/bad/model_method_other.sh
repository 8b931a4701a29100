# The tensors are of another method than the metadata.
edit_model $model bad.safetensors 's/\\"method\\":\\"fc\\"/\\"method\\":\\"patch\\"/'
anogan score bad.safetensors $bars --quiet
