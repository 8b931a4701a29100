#!/usr/bin/env bash
# What `meson install` installs is enough: the example builds with pkg-config against it alone, and
# scores with it what the installed program trained; a program in C++ does too.
# Run as: run.sh BUILD SOURCE_ROOT PREFIX CC...
set -euo pipefail
build=$1 source=$2 prefix=$3
shift 3

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
DESTDIR=$work/root meson install -C "$build" --no-rebuild --quiet
root=$work/root$prefix
for file in bin/anogan include/anogan/anogan.h share/man/man1/anogan.1 \
    share/bash-completion/completions/anogan share/anogan/mnist-1-vs-9/train-images-idx3-ubyte.gz; do
    test -s "$root/$file"
done

cd "$work"
export PKG_CONFIG_SYSROOT_DIR=$work/root
# Nothing else is to be found: who uses the library need not have what it is built with.
PKG_CONFIG_LIBDIR=$(dirname "$(find "$root" -name anogan.pc)")
export PKG_CONFIG_LIBDIR
read -ra flags < <(pkg-config --cflags --libs anogan)
"$@" -std=c17 -Wall -Wextra -Werror "$source/examples/score_image.c" "${flags[@]}" -o score_image
LD_LIBRARY_PATH=$(pkg-config --variable=libdir anogan)
export LD_LIBRARY_PATH
ldd score_image >libraries.txt # whole: a pipe that grep -q leaves early fails ldd now and then
grep -q "libanogan.so.* => $work/root" libraries.txt

. "$source/tests/cli/fixtures.sh"
make_bars bars
"$root/bin/anogan" train bars --out run --normal 1 --epochs 1 "${small_fc[@]}" --quiet --no-test
./score_image run/model.safetensors bars >lines.txt
grep -cE '^image [0-9]+ of class [19]: score [0-9.]+, p-value [01].[0-9]+$' lines.txt | grep -qx 10
if ./score_image nowhere.safetensors bars 2>message.txt; then
    echo "a model that is not there was scored with"
    exit 1
fi
grep -q nowhere.safetensors message.txt

if ! command -v c++ >/dev/null; then
    echo "no C++ compiler is on this machine"
    exit
fi
sanitize=()
for word in "$@"; do
    [[ $word != -fsanitize=* ]] || sanitize+=("$word")
done
c++ -std=c++11 -Wall -Wextra -Werror "${sanitize[@]}" "$source/tests/install/plus_plus.cpp" "${flags[@]}" \
    -o plus_plus
./plus_plus | grep -qxE '[0-9]+\.[0-9]+\.[0-9]+, oneDNN [0-9.]+'
