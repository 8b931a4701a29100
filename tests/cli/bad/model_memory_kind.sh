# A memory of a kind whose vectors are not there.
edit_model $model bad.safetensors 's/\\"histograms\\":{\\"mean\\"/\\"random\\":{\\"mean\\"/'
anogan score bad.safetensors $bars --quiet
