# Its version is a text.
edit_model $model bad.safetensors 's/\\"version\\":1/\\"version\\":\\"one\\"/'
anogan score bad.safetensors $bars --quiet
