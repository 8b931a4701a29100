# Its last byte is missing.
head -c -1 $model >bad.safetensors
anogan score bad.safetensors $bars --quiet
