# bash offers the verbs, each verb's options, and the words of an option; files elsewhere.
. "$SOURCE_ROOT/cli/completion.bash"
mkdir photos
: >photograph.png

# What is offered for the last word of a command line, words as bash parts them.
offer() {
    echo "? $*"
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    _anogan "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}" || true
    [ "${#COMPREPLY[@]}" = 0 ] || printf '  %s\n' "${COMPREPLY[@]}" | sort
}

offer anogan ''
offer anogan ev
offer anogan --
offer anogan calibrate --
offer anogan train --conv
offer anogan train --conv = ''
offer anogan train --conv = d
offer anogan train --conv w
offer anogan score --map-format =
offer anogan evaluate run --count ''
offer anogan train --epochs ''
offer anogan train --resume ph
offer anogan score run --json ph
offer anogan nothing --
offer anogan train 'photo'
