# A class that has images, but none to train on.
printf 'path,label,split\na.png,good,train\nb.png,cut,test\n' >list.csv
anogan train list.csv --normal cut --out out --quiet
