# A data set that is not there or not whole is named; the exit code is 3, and nothing is written.
make_bars bars
run anogan train nowhere --out run
mkdir empty
run anogan train empty --out run
run anogan info nowhere
run anogan info empty
cp -r bars short
head -c 1000 bars/train-images-idx3-ubyte >short/train-images-idx3-ubyte
run anogan train short --out run
cp -r bars swapped
cp bars/train-labels-idx1-ubyte swapped/train-images-idx3-ubyte
run anogan train swapped --out run
cp -r bars unequal
cp bars/t10k-labels-idx1-ubyte unequal/train-labels-idx1-ubyte
run anogan train unequal --out run
run anogan train bars --out run --normal 7
run anogan train bars --out run --held-out 28
test ! -e run
# What would stop the test after training stops before it.
cp -r bars untested
head -c 100 bars/t10k-images-idx3-ubyte >untested/t10k-images-idx3-ubyte
run anogan train untested --normal 1 --held-out 4 --out run
run anogan train bars --normal 1 --anomaly 8 --held-out 4 --out run
test ! -e run
