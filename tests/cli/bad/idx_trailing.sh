# Bytes behind the last image.
cp -r $bars data
printf more >>data/train-images-idx3-ubyte
anogan train data --out out --quiet
