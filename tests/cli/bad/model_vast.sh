# Metadata that describes networks of gigabytes.
edit_model $model bad.safetensors 's/\\"size\\":8,\\"channels\\":1,\\"latent\\":4,\\"base_width\\":4/\\"size\\":224,\\"channels\\":3,\\"latent\\":4096,\\"base_width\\":512/'
anogan score bad.safetensors $bars --quiet
