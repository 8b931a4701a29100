# A header that announces ten thousand million pixels.
printf 'P5 100000 100000 255\n' >bad.png
anogan score ../../run bad.png --alpha 0.2 --quiet
