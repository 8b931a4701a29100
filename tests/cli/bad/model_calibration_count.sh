# Not as many scores as the calibration says.
edit_model $model bad.safetensors 's/\\"calibration\\":{\\"n\\":4/\\"calibration\\":{\\"n\\":5/'
anogan score bad.safetensors $bars --quiet
