# A tensor that is turned.
edit_model $model bad.safetensors 's/"shape":\[4,32\]/"shape":[32,4]/'
anogan score bad.safetensors $bars --quiet
