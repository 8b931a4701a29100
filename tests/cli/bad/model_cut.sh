# Its end is missing, and some of its header, whose length is set for the message to be known.
{ little_endian 3000; head -c 2000 $model | tail -c +9; } >bad.safetensors
anogan score bad.safetensors $bars --quiet
