# Every verb explains itself, from the table that parses it.
run anogan --version | sed -E 's/^oneDNN [23]\.[0-9]+\.[0-9]+, (generic|avx2|avx512) kernels, [a-z]+( \([a-z,]+\))? build$/oneDNN VERSION, KERNELS, BUILD/'
run anogan --help
for verb in demo train score evaluate report benchmark info; do
    run anogan $verb --help
done
