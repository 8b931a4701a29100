# Three bytes of a bitmap that announces sixteen million pixels, an eighth of a byte each.
printf 'P4 100 165535\n\1\2\3' >bad.png
anogan score ../../run bad.png --alpha 0.2 --quiet
