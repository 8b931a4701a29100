# All rows are for testing.
printf 'path,label,split\na.png,0,test\n' >list.csv
anogan train list.csv --out out --quiet
