# A calibration by searches that never end.
edit_model $model bad.safetensors 's/\\"iterations\\":10/\\"iterations\\":2000000000/'
anogan score bad.safetensors $bars --quiet
