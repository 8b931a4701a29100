# A JPEG whose pixels end early, though it says that it ends there.
{
    base64 -d <<END
/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDACgcHiMeGSgjISMtKygwPGRBPDc3PHtYXUlkkYCZlo+AjIqgtObDoKrarYqMyP/L2u71////m8H////6/+b9//j/wAALCABgAAgBAREA/8QAFgABAQEAAAAAAAAAAAAAAAAAAwEC/8QAKxABAAIBAgMGBgMAAAAAAAAAAQIRIQMSADFBIjJRYYGRE0JxoeHwscHR/9oACAEBAAA/AIz04yZKwlILIveW6sM/vjXCx1IQNOcoX2ZKB1D5fZz9+V5nGtIiyibpbViFGPD6/wA9McTYt/BmwNtEpNgSz6U=
END
    printf '\xff\xd9'
} >bad.jpg
anogan score ../../run bad.jpg --alpha 0.2 --quiet
