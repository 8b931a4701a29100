# It ends too early.
cp -r ../../run folder
printf '{"batch": 8' >folder/config.json
anogan evaluate folder --quiet
