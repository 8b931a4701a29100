# Scores, but no calibration to say how they were made.
edit_model $model bad.safetensors 's/\\"calibration\\":{/\\"other\\":{/'
anogan score bad.safetensors $bars --quiet
