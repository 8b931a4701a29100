# A checkpoint in the place of a model.
cp ../../run/checkpoint.safetensors bad.safetensors
anogan score bad.safetensors $bars --quiet
