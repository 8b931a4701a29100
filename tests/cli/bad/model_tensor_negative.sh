# A tensor of a negative size.
edit_model $model bad.safetensors 's/"shape":\[4,32\]/"shape":[-4,-32]/'
anogan score bad.safetensors $bars --quiet
