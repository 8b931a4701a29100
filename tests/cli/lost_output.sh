# What is printed and cannot be written is an error, whatever it was and was done before.
make_bars bars
anogan train bars --out run --normal 1 --epochs 1 --no-test "${small_fc[@]}" --quiet
lose() {
    local code=0
    echo "\$ $*" >&2
    "$@" >/dev/full || code=$?
    echo "exit $code: $*"
}
lose anogan score run bars --quiet
lose anogan score run bars --quiet --fdr 0.2
lose anogan score run bars --quiet --json
lose anogan score run bars --quiet --json --fail-on-anomaly
lose anogan info run
lose anogan info run --json
lose anogan info bars
lose anogan info bars --json
lose anogan --help
lose anogan score --help
lose anogan --version
