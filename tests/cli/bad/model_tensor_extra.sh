# A tensor of no layer.
edit_model $model bad.safetensors 's/discriminator\.dense\.bias/discriminator.dense_2.bias/;s/discriminator\.[a-z_0-9]*\.[a-z]*/x&/g'
anogan score bad.safetensors $bars --quiet
