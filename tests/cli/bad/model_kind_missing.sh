# Nothing says which kind of network.
edit_model $model bad.safetensors 's/\\"kind\\":\\"dcgan\\",//'
anogan score bad.safetensors $bars --quiet
