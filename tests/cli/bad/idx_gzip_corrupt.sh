# A gzip file with a wrong byte.
cp -r $bars data
rm data/train-images-idx3-ubyte
gzip -cn $bars/train-images-idx3-ubyte >good.gz; spoil good.gz data/train-images-idx3-ubyte.gz 8 '\x00\x00\x00\x00'
anogan train data --out out --quiet
