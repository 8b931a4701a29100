# Its end is missing.
head -c 2000 $model >bad.safetensors
anogan score bad.safetensors $bars --quiet
