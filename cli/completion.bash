# Completes anogan's verbs, options and their words in bash. All of it is read from --help, which is
# made from the table that parses the options, so that nothing is said twice.

# The options of a verb, a line each: "--conv=auto|direct|winograd|fft".
_anogan_options() { # ANOGAN VERB
    ARGP_HELP_FMT='' "$1" "$2" --help 2>/dev/null |
        grep -oE '^ +(-[^ ], )?--[a-z0-9-]+(=[^ ]+)?' | grep -o -- '--.*'
}

_anogan() {
    local anogan=$1 verb=${COMP_WORDS[1]-} current=${COMP_WORDS[COMP_CWORD]} option words
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        words=$(ARGP_HELP_FMT='' "$anogan" --help 2>/dev/null |
            sed -n '/^Verbs:/,/^$/s/^  \([a-z]*\) .*/\1/p')
        mapfile -t COMPREPLY < <(compgen -W "$words --help --version" -- "$current")
        return
    fi

    # What --option=value comes as are three words, of --option value two.
    option=${COMP_WORDS[COMP_CWORD - 1]}
    if [[ $current == '=' ]]; then
        current=''
    elif [[ $option == '=' ]]; then
        option=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    if [[ $option =~ ^--[a-z0-9-]+$ ]]; then
        words=$(_anogan_options "$anogan" "$verb" | sed -n "s/^$option=//p")
        if [[ -n $words && ! $words =~ ^(DIR|RUN|FILE.*)$ ]]; then
            # Words in small letters are to be typed; N, KINDS and the like stand for something.
            words=$(tr '|' '\n' <<<"$words" | grep -v '[A-Z]')
            mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
            return
        fi
    fi
    if [[ $current == -* ]]; then
        words=$(_anogan_options "$anogan" "$verb" | sed 's/=.*/=/')
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
        # An option that takes a value is left open for it.
        [[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        compopt -o filenames 2>/dev/null
    fi
}

complete -F _anogan anogan
