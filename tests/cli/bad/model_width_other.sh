# The metadata has another width than the tensors.
edit_model $model bad.safetensors 's/\\"base_width\\":4/\\"base_width\\":5/'
anogan score bad.safetensors $bars --quiet
