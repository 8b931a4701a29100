# A model or run that cannot be read is named; the exit code is 4.
make_bars bars
mkdir folder
run anogan score folder bars
run anogan score nowhere.safetensors bars
run anogan evaluate folder bars
run anogan train --resume folder
echo "not a model" >text.safetensors
run anogan info text.safetensors
echo '{' >folder/config.json
run anogan evaluate folder bars
run anogan train --resume folder
echo '{"batch": "many"}' >folder/config.json
run anogan train --resume folder
