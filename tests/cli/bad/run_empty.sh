# A folder without a run.
mkdir folder
anogan score folder $bars
