# A link to nowhere.
ln -s nowhere bad.png
anogan score ../../run bad.png --alpha 0.2 --quiet
