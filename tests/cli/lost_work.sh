# A run folder is one process's at a time; a damaged checkpoint, a full disk and a folder that may
# not be written are told of, and what to do. (tests/faults has the many cases; here are the words.)
make_bars bars
anogan train bars --out run --normal 1 --epochs 3 "${small_fc[@]}" --quiet >/dev/null

# This shell has the lock; the number in it is that of the process that trained.
exec 9<>run/.lock
flock -n 9
echo 4711 >run/.lock
run anogan train bars --out run --normal 1 "${small_fc[@]}"
run anogan train --resume run --epochs 4
run anogan demo --data bars --out run "${small[@]}"
run anogan calibrate run bars
run anogan calibrate run/weights/generator_0003.safetensors bars
run anogan evaluate run
run anogan evaluate run/model.safetensors bars --out run
# Who only reads is not in the way.
anogan score run bars --quiet >/dev/null 2>&1
anogan info run >/dev/null
exec 9>&-
run anogan train --resume run --no-test --quiet

# A damaged newest checkpoint; the run ends in the same bytes as without the damage.
cp -r run whole
anogan train --resume whole --epochs 5 --no-test --quiet
ls run | grep checkpoint
head -c 5000 whole/checkpoint.safetensors >run/checkpoint.safetensors
run anogan train --resume run --epochs 5 --no-test --quiet
cmp whole/model.safetensors run/model.safetensors

# How often and how many.
anogan train --resume run --epochs 9 --checkpoint-every 3 --keep-checkpoints 4 --no-test --quiet
ls run | grep checkpoint
grep -E 'checkpoint' run/config.json
anogan train --resume run --epochs 10 --checkpoint-every 10m --keep-checkpoints 1 --no-test --quiet
ls run | grep checkpoint
grep -E 'checkpoint' run/config.json

# Far too high a learning rate: both networks go wrong, each is told of once.
anogan train bars --out wild --normal 1 --epochs 40 --rate 0.1 "${small_fc[@]}" --base-width 16 --no-test --quiet \
    2>told.txt
sort told.txt
