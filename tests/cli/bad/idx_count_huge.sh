# More images than the file can hold.
cp -r $bars data
printf "$(big_endian 2051)$(big_endian 2147483647)$(big_endian 8)$(big_endian 8)" >data/train-images-idx3-ubyte
anogan train data --out out --quiet
