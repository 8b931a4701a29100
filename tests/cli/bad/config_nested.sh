# Ten thousand brackets.
cp -r ../../run folder
head -c 10000 /dev/zero | tr "\0" "[" >folder/config.json
anogan evaluate folder --quiet
