# The same seed gives the same bytes; another seed gives others.
make_bars bars
train() { anogan train bars --out "$1" --normal 1 --epochs 2 --flip h "${small_fc[@]}" --seed "$2" --quiet >/dev/null; }
train one 7
train two 7
train three 8
for file in model.safetensors scores.csv metrics.json; do
    cmp one/$file two/$file
done
cmp <(cut -d, -f1-5 one/loss.csv) <(cut -d, -f1-5 two/loss.csv)
if cmp -s one/model.safetensors three/model.safetensors; then
    echo "another seed gave the same model"
fi
