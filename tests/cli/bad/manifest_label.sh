# A row without a label.
printf 'path,label\na.png,\n' >list.csv
anogan info list.csv
