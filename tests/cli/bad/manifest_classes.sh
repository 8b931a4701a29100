# More classes than images can have.
{ echo path,label; seq -f 'a.png,c%.0f' 10001; } >list.csv
anogan info list.csv
