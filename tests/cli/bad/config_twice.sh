# An option is there twice.
cp -r ../../run folder
printf '{"batch": 8, "batch": 9}' >folder/config.json
anogan evaluate folder --quiet
