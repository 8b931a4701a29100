# Numbers in words, of which there are three for 268 million pixels.
echo 'P2 16384 16384 255 0 0 0' >bad.png
anogan score ../../run bad.png --alpha 0.2 --quiet
