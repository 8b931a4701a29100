# A size that no network has.
edit_model $model bad.safetensors 's/\\"size\\":8/\\"size\\":9/'
anogan score bad.safetensors $bars --quiet
