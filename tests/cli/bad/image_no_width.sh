# A picture without a width.
printf 'P5 0 8 255\n' >bad.png
anogan score ../../run bad.png --alpha 0.2 --quiet
