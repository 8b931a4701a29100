# A path that would clear the terminal and change its title.
printf 'path,label\n/\033[2J\033]0;title\007.png,0\n' >list.csv
anogan info list.csv
