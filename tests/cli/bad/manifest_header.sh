# No column is called path.
printf 'file,label\na.png,0\n' >list.csv
anogan info list.csv
