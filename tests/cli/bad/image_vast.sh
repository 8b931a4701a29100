# As large as it says, but for most of it being a hole.
printf 'P4 100000 100000\n' >bad.png
truncate -s 1250000017 bad.png
anogan score ../../run bad.png --alpha 0.2 --quiet
