# What the cases share; sourced before each.

# Runs a command, names it on stdout and stderr, and prints its exit code.
run() {
    local code=0
    echo "\$ $*"
    echo "\$ $*" >&2
    "$@" || code=$?
    echo "exit $code"
}

# Waits for a line with a text on a descriptor, of a pipe that a program in the background writes to.
next_line() { # DESCRIPTOR TEXT
    local line
    while read -r -u "$1" line; do
        [[ $line == *$2* ]] && return
    done
    echo "no more lines, and none with $2"
    return 1
}

# The four bytes of a big-endian number, as printf escapes.
big_endian() { printf '\\x%02x\\x%02x\\x%02x\\x%02x' $(($1 >> 24 & 255)) $(($1 >> 16 & 255)) $(($1 >> 8 & 255)) $(($1 & 255)); }

# write_idx IMAGES LABELS CLASS:COUNT...: 8x8 images. A 1 is an upright bar, a 9 lies, anything
# else is a cross; the bar's place and brightness change from image to image.
write_idx() {
    local images=$1 labels=$2 total=0 pair class count i y x pixel pixels='' classes=''
    shift 2
    for pair in "$@"; do
        class=${pair%:*} count=${pair#*:} total=$((total + count))
        for ((i = 0; i < count; i++)); do
            classes+=$(printf '\\x%02x' "$class")
            local place=$((2 + i % 4)) ink
            printf -v ink '\\x%02x' $((255 - 16 * (i % 5)))
            for ((y = 0; y < 8; y++)); do
                for ((x = 0; x < 8; x++)); do
                    pixel='\x00'
                    if [[ $class != 9 && $x = "$place" ]] || [[ $class != 1 && $y = "$place" ]]; then
                        pixel=$ink
                    fi
                    pixels+=$pixel
                done
            done
        done
    done
    printf "$(big_endian 2051)$(big_endian "$total")$(big_endian 8)$(big_endian 8)$pixels" >"$images"
    printf "$(big_endian 2049)$(big_endian "$total")$classes" >"$labels"
}

# A data set of bars: 28 training images of class 1, 6 test images each of 1 and 9.
make_bars() {
    mkdir -p "$1"
    write_idx "$1/train-images-idx3-ubyte" "$1/train-labels-idx1-ubyte" 1:28
    write_idx "$1/t10k-images-idx3-ubyte" "$1/t10k-labels-idx1-ubyte" 1:6 9:6
}

# write_texture FILE WIDTH HEIGHT SEED [LEFT RIGHT TOP BOTTOM]: an even texture, with a bright spot where the
# sides of one are given.
write_texture() {
    local file=$1 width=$2 height=$3 seed=$4 left=${5:-0} right=${6:-0} top=${7:-0} bottom=${8:-0} y x value pixels=''
    for ((y = 0; y < height; y++)); do
        for ((x = 0; x < width; x++)); do
            value=$((100 + (x * 7 + y * 3 + seed * 11) % 40))
            ((x >= left && x < right && y >= top && y < bottom)) && value=240
            printf -v value '\\x%02x' $value
            pixels+=$value
        done
    done
    printf "P5 $width $height 255\n$pixels" >"$file"
}

# make_textures DIR WIDTH HEIGHT LEFT RIGHT TOP BOTTOM: a tree of 24 training textures, and test textures, 4 without
# and 4 with a spot.
make_textures() {
    local dir=$1 i
    mkdir -p "$dir"/train/good "$dir"/test/{good,spot}
    for ((i = 0; i < 24; i++)); do
        write_texture "$dir/train/good/$i.pgm" "$2" "$3" $i
    done
    for ((i = 0; i < 4; i++)); do
        write_texture "$dir/test/good/$i.pgm" "$2" "$3" $((30 + i))
        write_texture "$dir/test/spot/$i.pgm" "$2" "$3" $((40 + i)) "${@:4}"
    done
}

# Options with which a run takes a moment.
small=(--base-width 4 --latent 4 --batch 8 --held-out 4 --iterations 10 --threads 1)
# The same for what trains, by a method that searches.
small_fc=(--method fc "${small[@]}")
