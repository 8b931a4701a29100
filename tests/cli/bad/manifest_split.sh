# A split that there is not.
printf 'path,label,split\na.png,0,validation\n' >list.csv
anogan info list.csv
