# What is at a path is told and counted: a tree, a folder, a manifest, an image.
write_pgm() { # FILE WIDTH HEIGHT
    mkdir -p "$(dirname "$1")"
    { printf 'P5 %d %d 255\n' "$2" "$3" && head -c $(($2 * $3)) /dev/zero; } >"$1"
}

write_pgm tree/train/good/0.pgm 4 4
write_pgm tree/train/good/1.pgm 4 4
write_pgm tree/test/good/0.pgm 4 4
write_pgm tree/test/cut/0.pgm 8 6
printf 'P6 4 9 255\n' >tree/test/cut/1.ppm
head -c 108 /dev/zero >>tree/test/cut/1.ppm
write_pgm tree/ground_truth/cut/0_mask.png 8 6
echo broken >tree/test/cut/2.png
echo notes >tree/test/notes.txt
run anogan info tree
run anogan info tree --json

run anogan info tree/test
run anogan info tree/train/good/1.pgm

rm -r tree/test
run anogan info tree

cat >list.csv <<END
path,label
tree/train/good/0.pgm,0
tree/train/good/1.pgm,1
END
run anogan info list.csv
echo tree/train/good/2.pgm >>list.csv
run anogan info list.csv

echo notes >notes.txt
run anogan info notes.txt
