# A tensor of halves.
edit_model $model bad.safetensors 's/"F32"/"F16"/'
anogan score bad.safetensors $bars --quiet
