# A benchmark of digits: what it writes and prints; interrupted and resumed it ends in the same table.
first_images() { # FOLDER NAME N: the first n images of MNIST's 1s and 9s, in a data set of their own
    local from=$SOURCE_ROOT/data/mnist-1-vs-9
    mkdir -p "$1"
    { printf "$(big_endian 2051)$(big_endian "$3")$(big_endian 28)$(big_endian 28)"
      gzip -dc "$from/$2-images-idx3-ubyte.gz" | tail -c +17 | head -c $((784 * $3)); } >"$1/$2-images-idx3-ubyte"
    { printf "$(big_endian 2049)$(big_endian "$3")"
      gzip -dc "$from/$2-labels-idx1-ubyte.gz" | tail -c +9 | head -c "$3"; } >"$1/$2-labels-idx1-ubyte"
}
set +o pipefail # head closes gzip's pipe
first_images digits train 60
first_images digits t10k 60
set -o pipefail
quick=(--conv direct --threads 1 --quiet)
tiny=(--base-width 4 --latent 4 --batch 8 --iterations 3 --restarts 1)
anogan benchmark digits --methods all --seeds 2 --epochs 2 "${tiny[@]}" "${quick[@]}" --out two >table.txt
cut -d, -f1-4 two/benchmark.csv
awk 'length > 100 && !/has the highest/' table.txt
grep -o '^AUROC.*' table.txt
grep -oE 'has the highest mean AUROC of the methods' table.txt
grep -oE '<h1>[^<]*|<svg |<script|https?://[^w]' two/benchmark.html
ls two two/cells two/runs/1-patch-1

# A run of it is one like any other: a class's figure is what evaluate says.
anogan evaluate two/runs/1-fc-1 --quiet --json --out evaluated | grep -m1 -oE '"auroc": [0-9.]+' >evaluated.txt
grep -oE '"auroc": [0-9.]+' two/cells/1-fc-1.json | cut -c1-18 | grep -qF -f - evaluated.txt

# Two classes, interrupted in the middle of the first model: --resume ends in the same table.
mkdir bars
write_idx bars/train-images-idx3-ubyte bars/train-labels-idx1-ubyte 1:28 9:28
write_idx bars/t10k-images-idx3-ubyte bars/t10k-labels-idx1-ubyte 1:6 9:6
long=("${small[@]}" --conv direct --epochs 100 --methods fc,patch)
anogan benchmark bars --out whole "${long[@]}" --quiet >/dev/null
mkdir -p parts/logs && mkfifo parts/logs/1-fc-0.txt
anogan benchmark bars --out parts "${long[@]}" --jobs 1 --quiet 2>message.txt &
exec 3<parts/logs/1-fc-0.txt
next_line 3 'epoch   3 of 100'
kill -INT $!
cat <&3 >/dev/null
code=0
wait $! || code=$?
echo "exit $code"
cat message.txt
rm parts/logs/1-fc-0.txt
anogan benchmark --resume parts --quiet >/dev/null
cmp <(cut -d, -f1-5 whole/benchmark.csv) <(cut -d, -f1-5 parts/benchmark.csv)
cmp whole/runs/1-fc-0/model.safetensors parts/runs/1-fc-0/model.safetensors

# What is compared may change, and what is finished is not done again; what makes a figure may not.
rm -r parts/runs
anogan benchmark --resume parts --quiet --classes 9 --methods patch --baselines none --json | grep -cE '"seed":'
ls parts/runs
run anogan benchmark --resume parts --epochs 3
run anogan benchmark --resume parts --iterations 3
run anogan benchmark bars --out parts
run anogan benchmark --resume bars

# Where no methods are named, what train takes is compared.
anogan benchmark bars --out named "${small[@]}" --epochs 1 --conv direct --classes 1 --baselines none --quiet --json |
    grep '"method"'
anogan benchmark bars --out tiled "${small[@]}" --epochs 1 --conv direct --classes 1 --baselines none --tile 8 --quiet --json |
    grep '"method"'

# A cell that fails is told of and costs the others nothing; done again when what was wrong is gone.
mkdir -p failing/runs && touch failing/runs/9-fc-0
run anogan benchmark bars --out failing "${small[@]}" --methods fc --epochs 1 --conv direct --quiet --json >failing.txt
grep -E '"method": "fc"|"worst_class"|exit' failing.txt
rm failing/runs/9-fc-0
run anogan benchmark --resume failing --quiet >failing.txt
tail -1 failing.txt
cut -d, -f1-4 failing/benchmark.csv | grep -c .
echo '{}' >failing/cells/9-fc-0.json
run anogan benchmark --resume failing --quiet

# A folder for each class: a fifth of the images are for testing. A tree for each: all of its own.
for class in up down across; do mkdir -p "folders/$class" "trees/$class/train/good" "trees/$class/test/"{good,bad}; done
gray() { # FILE X Y: 16 x 16 pixels with an upright bar at x and a lying one at y
    local x y
    { printf 'P2 16 16 255\n'
      for ((y = 0; y < 16; y++)); do for ((x = 0; x < 16; x++)); do
          [ $x = "$2" ] || [ $y = "$3" ] && echo 255 || echo 0
      done; done; } >"$1"
}
for i in 1 2 3 4 5 6 7 8 9 10; do
    gray "folders/up/$i.pgm" $((i + 2)) 20
    gray "folders/across/$i.pgm" 20 $((i + 2))
    gray "folders/down/$i.pgm" $i $i
    for class in up down across; do
        cp "folders/$class/$i.pgm" "trees/$class/train/good"
        cp "folders/$class/$i.pgm" "trees/$class/test/good"
    done
    cp "folders/across/$i.pgm" trees/up/test/bad
    cp "folders/up/$i.pgm" trees/down/test/bad
    cp "folders/up/$i.pgm" trees/across/test/bad
done
for data in folders trees; do
    anogan benchmark $data --size 16 --epochs 1 "${tiny[@]}" --batch 4 "${quick[@]}" --held-out 2 --methods patch --out of_$data >/dev/null
    cut -d, -f1-2 of_$data/benchmark.csv | grep -E ',(patch|pca)$'
done
find of_folders/images -name '*.pgm' | cut -d/ -f3,4 | sort | uniq -c

# What cannot be compared is refused before anything is trained.
run anogan benchmark bars --out refused --methods fc,magic
run anogan benchmark bars --out refused --methods fc,fc
run anogan benchmark bars --out refused --classes 1,2
run anogan benchmark bars --out refused --classes 1,1
run anogan benchmark folders/up --out refused
run anogan benchmark nowhere --out refused
ls -A refused
