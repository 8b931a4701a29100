# A quote that is not closed.
printf 'path,label\n"a.png,0\n' >list.csv
anogan info list.csv
