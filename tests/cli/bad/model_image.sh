# An image, not a model.
printf 'P5 8 8 255\n%064d' 0 >bad.safetensors
anogan score bad.safetensors $bars --quiet
