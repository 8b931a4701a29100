# A folder of parts, larger than the network and of several sizes, listed in a
# manifest: tiles of them are trained on and scored, and the maps compared with masks. The bad ones
# have a bright spot; one file is cut short.
write_pgm() { # FILE WIDTH HEIGHT SPOT(0|1) SEED
    local width=$2 height=$3 spot=$4 seed=$5 y x value pixels=''
    for ((y = 0; y < height; y++)); do
        for ((x = 0; x < width; x++)); do
            value=$((100 + (x * 7 + y * 3 + seed * 11) % 40))
            ((spot && x >= 10 && x < 15 && y >= 6 && y < 11)) && value=250
            printf -v value '\\x%02x' $value
            pixels+=$value
        done
    done
    printf "P5 $width $height 255\n$pixels" >"$1"
}
write_mask() { # FILE WIDTH HEIGHT
    local width=$2 height=$3 y x pixels=''
    for ((y = 0; y < height; y++)); do
        for ((x = 0; x < width; x++)); do
            ((x >= 10 && x < 15 && y >= 6 && y < 11)) && pixels+='\xff' || pixels+='\x00'
        done
    done
    printf "P5 $width $height 255\n$pixels" >"$1"
}
mkdir -p parts
echo path,label,split,mask >parts/parts.csv
for i in 1 2 3 4 5 6 7 8 9 10; do
    write_pgm parts/train$i.pgm $((20 + i)) 18 0 $i
    echo train$i.pgm,good,train, >>parts/parts.csv
done
for i in 1 2 3; do
    write_pgm parts/good$i.pgm 24 $((17 + i)) 0 $((20 + i))
    write_pgm parts/spot$i.pgm 24 $((17 + i)) 1 $((30 + i))
    write_mask parts/mask$i.pgm 24 $((17 + i))
    echo good$i.pgm,good,test, >>parts/parts.csv
    echo spot$i.pgm,spot,test,mask$i.pgm >>parts/parts.csv
done
printf 'P5 30 30 255\n' >parts/broken.pgm
echo broken.pgm,good,train, >>parts/parts.csv

run anogan train parts/parts.csv --out run --method fc --tile 8 --stride 4 --epochs 2 --base-width 4 --latent 4 --batch 8 \
    --held-out 3 --iterations 10 --pool top:0.05 --threads 2 --quiet >table.txt 2>errors.txt
grep -cE 'broken.pgm|could not be read' errors.txt
grep -cE '^(anogan|PCA|nearest|spot|good|pixels)' table.txt
ls run/predict | wc -l
for part in '<h1' 'ROC curve' 'Precision and recall' 'Scores by kind' 'Losses in training' 'AUPRO' 'nearest neighbour'; do
    grep -q "$part" run/report.html || echo "report.html lacks $part"
done
grep -cE '"(pixel_auroc|aupro|regions)"' run/metrics.json

# The same scores whatever comes along; the maps have the images' sizes.
anogan score run parts/parts.csv --quiet 2>/dev/null | cut -d, -f1,3 >all.csv
anogan score run parts/spot2.pgm --maps maps --map-format tiff --quiet 2>/dev/null | cut -d, -f1,3 >one.csv
grep 'spot2.pgm' all.csv | cmp - <(tail -1 one.csv)
ls maps
anogan info run | sed -n '2p;$p'
