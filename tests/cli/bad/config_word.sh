# A word that the option does not know.
cp -r ../../run folder
printf '{"search": "random"}' >folder/config.json
anogan evaluate folder --quiet
