# Files and classes by names that would leave a folder, be a formula, HTML or a terminal's commands: what
# is written stays where it belongs, and says the name as what it is.
make_bars bars
anogan train bars --out run --normal 1 --epochs 1 --conv direct --no-test --alpha 0.2 "${small_fc[@]}" --quiet
mkdir -p box/set box/maps
picture() { printf 'P5 8 8 255\n'; head -c 64 /dev/zero | tr '\0' "$1"; }
formula='=cmd|calc!A1.pgm' tag='<script>alert(1)<script>.pgm' bell=$'\e]0;title\a.pgm'
for name in plain.pgm "$formula" "$tag" "$bell"; do
    picture a >"box/set/$name"
done
long=$(printf '%0300d' 0)
{
    echo path,label
    printf '%s,%s\n' "$formula" ../../../above "$tag" '<script>' "$bell" $'=1+1' plain.pgm /root plain.pgm "$long" plain.pgm 0
} >box/set/list.csv

# Tables and maps; nothing beside the folder for maps.
anogan score run box/set/list.csv --maps box/maps --quiet 2>&1 | cut -d, -f1,2 | sed 's/\x1b/ESC/; s/\a/BEL/; s/0\{200,\}/ZEROS/'
ls box | cat
ls box/maps | grep map.png | sed 's/0\{100,\}/ZEROS/'
find . -newer box/set/list.csv -type f -not -path './box/maps/*'

# The files of a test and its page.
anogan evaluate run box/set/list.csv --normal normal --out box/test --quiet >/dev/null 2>&1
(cd box/test && find . -type f | sed 's/0\{60,\}/ZEROS/; s/_-\?[0-9.]*\.png$/_SCORE.png/' | LC_ALL=C sort)
grep -c '<script' box/test/report.html || true
grep -o '.\{9\}script.\{9\}' box/test/report.html | sort -u | head -5 || true
cut -d, -f2 box/test/scores.csv | sed 's/0\{200,\}/ZEROS/'

# What a message says of a name.
printf 'no image' >"box/set/$bell"
anogan score run "box/set/$bell" --quiet 2>&1 >/dev/null | grep skipped | LC_ALL=C tr '\33\7' 'EB' || true

# a.png and a.jpg are two images, in a watched folder as well.
mkdir two arrivals watched
picture a >two/a.pgm && picture b >two/a.png
mkdir two/x && cp two/a.png two/x/a.png && mkdir two/x/y && cp two/a.png two/x/y/a.png
anogan score run two --maps two/maps --quiet >/dev/null 2>&1
ls two/maps | grep map.png
mkfifo lines messages
anogan score run --watch arrivals --maps watched --quiet >lines 2>messages &
watcher=$!
exec 4<lines 5<messages
next_line 5 watching
cp two/a.pgm arrivals/a.pgm
next_line 4 arrivals/a.pgm,
cp two/a.png arrivals/a.png
next_line 4 arrivals/a.png,
kill -TERM $watcher
wait $watcher || echo "exit $?"
ls watched | grep map.png
