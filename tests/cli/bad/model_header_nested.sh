# A header of ten thousand brackets.
write_safetensors "$(printf '{"a":'; head -c 10000 /dev/zero | tr "\0" "[")" 0 >bad.safetensors
anogan score bad.safetensors $bars --quiet
