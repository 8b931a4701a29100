# A size that overflows.
cp -r $bars data
printf "$(big_endian 2051)$(big_endian 2147483647)$(big_endian 2147483647)$(big_endian 2147483647)" >data/train-images-idx3-ubyte
anogan train data --out out --quiet
