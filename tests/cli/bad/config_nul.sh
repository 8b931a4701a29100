# A text with a NUL in it.
cp -r ../../run folder
printf '{"data": "a\\u0000b"}' >folder/config.json
anogan evaluate folder --quiet
