# A latent vector that is too long.
edit_model $model bad.safetensors 's/\\"latent\\":4/\\"latent\\":99999999999/'
anogan score bad.safetensors $bars --quiet
