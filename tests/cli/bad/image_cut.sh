# A picture without its lower half.
{ printf 'P5 8 8 255\n'; head -c 30 /dev/zero; } >bad.png
anogan score ../../run bad.png --alpha 0.2 --quiet
