# A way to fit images that there is not.
edit_model $model bad.safetensors 's/\\"fit\\":\\"resize\\"/\\"fit\\":\\"squeeze\\"/'
anogan score bad.safetensors $bars --quiet
