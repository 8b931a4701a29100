# What scoring says of models that were calibrated, otherwise calibrated, or not at all.
make_bars bars
anogan train bars --out run --normal 1 --epochs 1 --no-test "${small_fc[@]}" --quiet
generator=run/weights/generator_0001.safetensors

# A line for each image, and with --json a summary.
anogan score run --quiet 2>&1 | sed -E 's/^.*bars/bars/; s/[0-9.]+,([0-9.]+),(normal|anomalous),[0-9.]+$/SCORE,\1,\2,SECONDS/' | head -4
anogan score run --json --quiet 2>/dev/null | sed -E 's/"path":"[^"]*bars/"path":"bars/; s/("(score|seconds|p_value|threshold|drift_evidence)":)[0-9.e-]+/\1N/g' | sed -n '1p;$p'
# Scores that are made in another way have no p-values.
anogan score run --iterations 5 --quiet | grep -cE ',[0-9.]+,,,[0-9.]+$'
anogan score run --pool max --quiet | grep -cE ',[0-9.]+,,,[0-9.]+$'
# Neither have those of a model that is not calibrated; calibrating it sets that right.
anogan score $generator --quiet | grep -cE ',[0-9.]+,,,[0-9.]+$'
anogan score $generator --quiet --json | grep -c '"p_value":null'
run anogan score $generator --quiet --fail-on-anomaly
run anogan score $generator --quiet --fdr 0.1
run anogan score run/weights/discriminator_0001.safetensors bars
cp -r run again
run anogan calibrate again bars --normal 1 --iterations 5 --quiet
anogan score again --quiet 2>&1 | grep -cE ',(normal|anomalous),'
anogan score again --quiet --fdr 0.2 2>&1 | grep -cE ',(normal|anomalous),'
run anogan calibrate again

# A generator on the way is tested like the model, with a threshold of its own.
run anogan evaluate $generator --quiet
anogan evaluate $generator --out test --quiet >/dev/null
anogan evaluate run --out end --quiet >/dev/null
cmp test/metrics.json end/metrics.json

# Images of another size are seen as the model sees images; files and folders of them, by name or by a
# list on standard input, with maps. One that is broken is skipped, unless --strict.
mkdir parts
for i in 1 2 10; do
    { printf 'P5 12 9 255\n'; head -c 108 /dev/zero | tr '\0' "\\$((i + 100))"; } >parts/part$i.pgm
done
{ printf 'P5 12 9 255\n'; head -c 50 /dev/zero; } >parts/part11.pgm
anogan score run parts --maps maps --quiet 2>messages.txt | cut -d, -f1,2
grep -c skipped messages.txt
ls maps
printf '%s\n' parts/part1.pgm parts/gone.pgm parts/part2.pgm | anogan score run - --quiet 2>messages.txt | cut -d, -f1,5
grep gone messages.txt
run anogan score run parts --strict --quiet >/dev/null 2>messages.txt
tail -1 messages.txt
run anogan score run nowhere.png --quiet

# A watched folder: what is moved there or written there is scored when it is complete, and its line is
# there at once. Reading waits for lines, and ends if the program does.
mkdir arrivals
mkfifo lines messages
anogan score run --watch arrivals --quiet >lines 2>messages &
watcher=$!
exec 4<lines 5<messages
next_line 5 watching
cp parts/part1.pgm arrivals/written.pgm
next_line 4 arrivals/written.pgm,
mkdir arrivals/.hidden arrivals/folder
cp parts/part1.pgm arrivals/.hidden.pgm # passed over, as a file that is being copied often is
exec 6>arrivals/open.pgm
cat parts/part10.pgm >&6 # not closed: not complete
mv parts/part2.pgm arrivals/moved.pgm
next_line 4 arrivals/moved.pgm,
cp parts/part11.pgm arrivals/broken.pgm
next_line 5 'skipped'
exec 6>&-
read -r -u 4 line && echo "${line%%,*}" # that of the broken one
read -r -u 4 line && echo "${line%%,*}"
kill -TERM $watcher
wait $watcher || echo "exit $?"
