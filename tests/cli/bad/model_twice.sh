# Two tensors of one name.
write_safetensors '{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[],"data_offsets":[4,8]}}' 8 >bad.safetensors
anogan score bad.safetensors $bars --quiet
