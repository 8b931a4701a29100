# A scale that makes images vast.
edit_model $model bad.safetensors 's/\\"stride\\":0,\\"scale\\":1.0/\\"stride\\":4,\\"scale\\":1e6/'
anogan score bad.safetensors $bars --quiet
