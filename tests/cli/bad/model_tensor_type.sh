# A tensor of doubles.
edit_model $model bad.safetensors 's/"F32"/"F64"/'
anogan score bad.safetensors $bars --quiet
