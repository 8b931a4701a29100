# Something is behind its end.
{ cat $model; printf more; } >bad.safetensors
anogan score bad.safetensors $bars --quiet
