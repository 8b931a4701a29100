# An option is out of its range.
cp -r ../../run folder
printf '{"batch": 0}' >folder/config.json
anogan evaluate folder --quiet
