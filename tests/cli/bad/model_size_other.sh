# The metadata has another size than the tensors.
edit_model $model bad.safetensors 's/\\"size\\":8/\\"size\\":16/'
anogan score bad.safetensors $bars --quiet
