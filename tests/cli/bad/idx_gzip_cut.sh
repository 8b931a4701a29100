# A gzip file that is cut off.
cp -r $bars data
rm data/train-images-idx3-ubyte
gzip -cn $bars/train-images-idx3-ubyte | head -c 40 >data/train-images-idx3-ubyte.gz
anogan train data --out out --quiet
