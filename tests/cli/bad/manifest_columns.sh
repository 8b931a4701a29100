# A row with a column too few.
printf 'path,label,split\na.png,0\n' >list.csv
anogan info list.csv
