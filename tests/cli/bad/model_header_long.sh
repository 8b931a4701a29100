# A header longer than any.
{ little_endian 9223372036854775807; printf "{}"; } >bad.safetensors
anogan score bad.safetensors $bars --quiet
