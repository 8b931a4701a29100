# An image of 10,000 x 10,000 pixels, 400 MB as floats, goes through in tiles, with its maps, in a
# fraction of that memory.
peak 200 true # or the case is skipped here

# 100 strips, then the directory; all numbers are big-endian.
write_tiff() { # SIDE
    local side=$1 strip=$(($1 * $1 / 100)) directory=$((8 + $1 * $1)) i offsets='' counts=''
    entry() { printf '\\x%02x\\x%02x\\x00\\x04%s%s' $(($1 >> 8)) $(($1 & 255)) "$(big_endian "$2")" "$(big_endian "$3")"; }
    for ((i = 0; i < 100; i++)); do
        offsets+=$(big_endian $((8 + i * strip)))
        counts+=$(big_endian $strip)
    done
    local lists=$((directory + 2 + 9 * 12 + 4)) # behind 9 entries of 12 bytes
    printf "MM\\x00\\x2a$(big_endian $directory)"
    (yes 'a texture of letters, row by row' || true) | head -c $((side * side))
    printf "\\x00\\x09$(entry 256 1 "$side")$(entry 257 1 "$side")"
    printf "$(entry 258 1 8)$(entry 259 1 1)$(entry 262 1 1)" # bits, not compressed, black is 0
    printf "$(entry 273 100 $lists)$(entry 277 1 1)$(entry 278 1 $((side / 100)))$(entry 279 100 $((lists + 400)))"
    printf "\\x00\\x00\\x00\\x00$offsets$counts"
}
mkdir small
for i in 1 2 3 4 5 6 7 8 9; do
    write_tiff $((400 + i * 100)) >small/$i.tiff
done
anogan train small --out run --method fc --tile 16 --stride 16 --scale 0.04 --pool max --epochs 1 --no-test \
    --alpha 0.2 "${small[@]}" --quiet

write_tiff 10000 >huge.tiff
peak 150 anogan score run huge.tiff --maps maps --quiet | cut -d, -f1
for file in maps/*; do
    anogan info $file | grep 10000
done
