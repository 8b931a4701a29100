# A path to anywhere.
printf 'path,label\n/etc/passwd,0\n' >list.csv
anogan info list.csv
