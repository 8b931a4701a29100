# A tensor whose size overflows.
edit_model $model bad.safetensors 's/"shape":\[4,32\]/"shape":[4611686018427387904,32]/'
anogan score bad.safetensors $bars --quiet
