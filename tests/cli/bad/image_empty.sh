# An empty file.
: >bad.png
anogan score ../../run bad.png --alpha 0.2 --quiet
