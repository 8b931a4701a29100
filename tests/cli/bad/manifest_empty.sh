# An empty file.
printf '' >list.csv
anogan info list.csv
