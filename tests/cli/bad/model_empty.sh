# An empty file.
: >bad.safetensors
anogan score bad.safetensors $bars --quiet
