# Small files that ask for much: 100 kB cannot make the program take gigabytes, whatever they announce.
peak 200 true # or the case is skipped here
make_bars bars
anogan train bars --out run --normal 1 --epochs 1 --conv direct --no-test --alpha 0.2 "${small[@]}" --quiet

# A model of a few kB whose metadata describes networks of gigabytes.
write_header() { printf '\\x%02x\\x%02x\\x00\\x00\\x00\\x00\\x00\\x00' $((${#1} & 255)) $((${#1} >> 8)) | xargs -0 printf; printf '%s' "$1"; }
write_header '{"__metadata__":{"anogan":"{\"version\":1,\"architecture\":{\"kind\":\"dcgan\",\"size\":224,\"channels\":3,\"latent\":4096,\"base_width\":512}}"},"generator.dense.bias":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}' >vast.safetensors
run peak 50 anogan score vast.safetensors bars

# IDX files that unpack to a thousand times as much: one picture of 100 million pixels, 100 million
# pictures of one.
mkdir vast many
idx() { { printf "$(big_endian $1)"; shift; for n; do printf "$(big_endian $n)"; done; head -c 100000000 /dev/zero; } | gzip -9n; }
idx 2051 1 10000 10000 >vast/train-images-idx3-ubyte.gz
{ printf "$(big_endian 2049)$(big_endian 1)"; printf '\0'; } >vast/train-labels-idx1-ubyte
run peak 350 anogan score run vast --split train --quiet | cut -d, -f1,5
idx 2051 100000000 1 1 >many/train-images-idx3-ubyte.gz
idx 2049 100000000 >many/train-labels-idx1-ubyte.gz
run peak 350 anogan info many

# A picture of 268 million pixels, each a bit, all of them black; and one row more.
write_png() { # HEIGHT
    chunk() { printf "$(big_endian $(($(stat -c %s data) - 4)))"; cat data; gzip -cn data | tail -c 8 | head -c 4 | od -An -tx1 | awk '{printf "\\x%s\\x%s\\x%s\\x%s", $4, $3, $2, $1}' | xargs -0 printf; }
    local size=$(($1 * (16384 / 8 + 1)))
    printf '\x89PNG\r\n\x1a\n'
    printf "IHDR$(big_endian 16384)$(big_endian $1)\\x01\\x00\\x00\\x00\\x00" >data && chunk
    head -c $size /dev/zero | gzip -9n | tail -c +11 | head -c -8 >deflated
    # Adler-32 of so many zeros
    { printf 'IDAT\x78\x9c'; cat deflated; printf "$(big_endian $((size % 65521 << 16 | 1)))"; } >data && chunk
    printf IEND >data && chunk
}
write_png 16384 >large.png
write_png 16385 >larger.png
run peak 150 anogan score run large.png larger.png --quiet | cut -d, -f1,5

# A manifest with as many classes as rows.
{ echo path,label; seq -f 'a.png,%.0f' 2 9000; } >classes.csv
run peak 50 anogan info classes.csv | sed -n '1p;$p'
du -b vast.safetensors vast/*.gz many/*.gz large.png classes.csv | awk '$1 > 110000'
