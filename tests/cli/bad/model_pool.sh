# A pool that there is not.
edit_model $model bad.safetensors 's/\\"pool\\":\\"sum\\"/\\"pool\\":\\"median\\"/'
anogan score bad.safetensors $bars --quiet
