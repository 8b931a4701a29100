# A memory that tells nothing apart.
edit_model $model bad.safetensors 's/\(memory.*\)\\"sd\\":[0-9.e-]*/\1\\"sd\\":0/'
anogan score bad.safetensors $bars --quiet
