# Tensors of another program.
write_safetensors '{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}' 4 >bad.safetensors
anogan score bad.safetensors $bars --quiet
