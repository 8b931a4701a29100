# Vectors, but no memory.
edit_model $model bad.safetensors 's/\\"memory\\":{/\\"other\\":{/'
anogan score bad.safetensors $bars --quiet
