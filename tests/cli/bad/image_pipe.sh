# A pipe that nobody writes to.
mkfifo bad.png
anogan score ../../run bad.png --alpha 0.2 --quiet
