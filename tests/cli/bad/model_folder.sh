# A folder by the name of a model.
mkdir bad.safetensors
anogan score bad.safetensors $bars --quiet
