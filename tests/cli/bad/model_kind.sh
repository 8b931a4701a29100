# Another kind of network.
edit_model $model bad.safetensors 's/\\"kind\\":\\"dcgan\\"/\\"kind\\":\\"transformer\\"/'
anogan score bad.safetensors $bars --quiet
