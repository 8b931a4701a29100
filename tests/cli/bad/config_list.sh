# It is a list.
cp -r ../../run folder
printf '[1, 2]' >folder/config.json
anogan evaluate folder --quiet
