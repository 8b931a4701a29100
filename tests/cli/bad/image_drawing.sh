# A drawing, which has no pixels.
echo '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>' >bad.png
anogan score ../../run bad.png --alpha 0.2 --quiet
