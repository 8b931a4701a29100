# A NUL in a path.
printf 'path,label\na\0.png,0\n' >list.csv
anogan info list.csv
