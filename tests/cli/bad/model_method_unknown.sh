# A method that this program has not.
edit_model $model bad.safetensors 's/\\"method\\":\\"fc\\"/\\"method\\":\\"diffusion\\"/'
anogan score bad.safetensors $bars --quiet
