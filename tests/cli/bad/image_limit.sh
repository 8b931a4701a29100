# More pixels than allowed.
{ printf 'P5 8 8 255\n'; head -c 64 /dev/zero; } >bad.png
anogan score ../../run bad.png --alpha 0.2 --max-pixels 63 --quiet
