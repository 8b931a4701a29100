# Every verb explains itself, from the table that parses it.
run anogan --version
run anogan --help
for verb in demo train score evaluate report benchmark info; do
    run anogan $verb --help
done
