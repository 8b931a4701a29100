# A device that never ends.
ln -s /dev/zero bad.png
anogan score ../../run bad.png --alpha 0.2 --quiet
