# A number where a text must be.
cp -r ../../run folder
printf '{"data": 5}' >folder/config.json
anogan evaluate folder --quiet
