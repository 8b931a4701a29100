# Of a version that is not known yet.
edit_model $model bad.safetensors 's/\\"version\\":1/\\"version\\":2/'
anogan score bad.safetensors $bars --quiet
