# A mask out of the folder.
printf 'path,label,mask\na.png,0,../m.png\n' >list.csv
anogan info list.csv
