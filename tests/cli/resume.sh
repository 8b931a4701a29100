# A run that is interrupted exits with 130, and resumed ends in the bytes of one that never was.
make_bars bars
augmented=(--flip h --shift 0.15 --rotate 7.3 --brightness 0.1 --contrast 0.3)
anogan train bars --out whole --normal 1 --epochs 150 "${small_fc[@]}" "${augmented[@]}" --quiet >/dev/null

mkfifo messages
anogan train bars --out parts --normal 1 --epochs 150 "${small_fc[@]}" "${augmented[@]}" \
    >/dev/null 2>messages &
exec 3<messages
next_line 3 'epoch   3 of 150'
kill -INT $!
cat <&3 >message.txt
code=0
wait $! || code=$?
echo "exit $code"
grep -o 'anogan train --resume parts' message.txt
test ! -e parts/metrics.json

anogan train --resume parts --quiet >/dev/null
cmp whole/model.safetensors parts/model.safetensors
cmp whole/scores.csv parts/scores.csv
cmp <(cut -d, -f1-5 whole/loss.csv) <(cut -d, -f1-5 parts/loss.csv)

# --epochs is the total: a run that has ended goes on up to it.
anogan train --resume parts --epochs 152 --no-test --quiet
wc -l <parts/loss.csv
