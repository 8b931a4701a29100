# A path out of the folder.
printf 'path,label\na.png,0\nsub/../../b.png,0\n' >list.csv
anogan info list.csv
