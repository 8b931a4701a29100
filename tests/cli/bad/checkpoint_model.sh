# A model in the place of a checkpoint.
cp -r ../../run folder
cp folder/model.safetensors folder/checkpoint.safetensors
anogan train --resume folder --epochs 2 --no-test --quiet
