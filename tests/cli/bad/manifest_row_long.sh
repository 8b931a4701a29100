# A row of 20,000 bytes.
{ echo path,label; head -c 20000 /dev/zero | tr "\0" a; echo ,0; } >list.csv
anogan info list.csv
