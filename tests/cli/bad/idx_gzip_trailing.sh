# Something behind a gzip file.
cp -r $bars data
rm data/train-images-idx3-ubyte
{ gzip -cn $bars/train-images-idx3-ubyte; printf more; } >data/train-images-idx3-ubyte.gz
anogan train data --out out --quiet
