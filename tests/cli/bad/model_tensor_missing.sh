# A tensor has another name, so that one is missing.
edit_model $model bad.safetensors 's/generator\.dense\.bias/generator.dense.bias_/'
anogan score bad.safetensors $bars --quiet
