# A tensor that lies outside the file.
edit_model $model bad.safetensors 's/\(discriminator.dense.bias.*data_offsets":\)\[[0-9,]*\]/\1[999996,1000000]/'
anogan score bad.safetensors $bars --quiet
