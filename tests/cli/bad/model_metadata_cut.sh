# Metadata that is no JSON.
edit_model $model bad.safetensors 's/\\"version\\":1,/\\"version\\":1/'
anogan score bad.safetensors $bars --quiet
