# Floats in the place of bytes.
cp -r $bars data
printf '\x00\x00\x0d\x03' | dd of=data/train-images-idx3-ubyte conv=notrunc status=none
anogan train data --out out --quiet
