# One bit is wrong.
cp -r ../../run folder
spoil ../../run/checkpoint.safetensors folder/checkpoint.safetensors 4 '\x55'
anogan train --resume folder --epochs 2 --no-test --quiet
