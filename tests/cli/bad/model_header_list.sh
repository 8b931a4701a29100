# A header that is no object.
write_safetensors "[1]" 0 >bad.safetensors
anogan score bad.safetensors $bars --quiet
