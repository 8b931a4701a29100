#!/usr/bin/env bash
# The dependency rule: a folder includes folders of lower rank only, and each outside library is
# included only by the files that own it. Run as: dependencies.sh SOURCE_ROOT
set -euo pipefail
cd "$1"

declare -A rank=([base]=0 [kernels]=1 [nn]=2 [format]=3 [data]=4 [eval]=4 [model]=5 [train]=6
                 [detect]=6 [report]=7)

# header: the files that may include it, as a regular expression
declare -A owners=(
    [dnnl]='^src/nn/'
    [plplot]='^src/report/'
    [png]='^src/report/'
    [vips]='^src/(data/decode|report/maps)\.c$'
    [zlib]='^src/(format/idx|data/survey|train/checkpoint)\.c$'
    [jansson]='^(src/(base/json|format/safetensors|model/calibration|model/memory|model/model_file|train/checkpoint|report/[a-z_]+)|cli/(cell|config|option_value|options|output|report|info|inventory))\.[ch]$'
    [argp]='^cli/(main|options)\.c$'
    [omp]='^src/(base/threads\.c|kernels/|nn/|eval/|detect/)'
)

# What the program may use of src/ besides the public header and src/report.
program_may='^(base/(clock|error|file|json|memory)|report/[a-z_]+|cli/[a-z_]+)\.h$'

failures=0
refuse() {
    echo "$1: includes \"$2\": $3"
    failures=$((failures + 1))
}

check() { # FILE INCLUDED
    local file=$1 included=$2 folder other name
    folder=${file#src/}
    folder=${folder%%/*}
    other=${included%%/*}
    name=${included%.h}
    if [ "$folder" = cli ]; then
        if [[ ${rank[$other]+known} || $other = cli ]] && ! [[ $included =~ $program_may ]]; then
            refuse "$file" "$included" "the program uses the engine through <anogan/anogan.h>"
        fi
    elif [[ $other = cli ]]; then
        refuse "$file" "$included" "the library does not know the program"
    elif [[ ${rank[$other]+known} && $other != "$folder" ]] && ((rank[$other] >= rank[$folder])); then
        refuse "$file" "$included" "$folder has rank ${rank[$folder]}, $other ${rank[$other]}"
    fi
    [[ $other = plplot || $other = vips ]] && name=$other
    if [[ ${owners[$name]+owned} ]] && ! [[ $file =~ ${owners[$name]} ]]; then
        refuse "$file" "$included" "only ${owners[$name]} may"
    fi
}

files=0 includes=0
while IFS= read -r file; do
    files=$((files + 1))
    while IFS= read -r included; do
        includes=$((includes + 1))
        check "$file" "$included"
    done < <(sed -nE 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*[<"]([^>"]+)[>"].*/\1/p' "$file")
done < <(find src cli -name '*.[ch]' | sort)

echo "$includes includes in $files files, $failures against the rule"
[ "$includes" -gt 0 ] && [ "$failures" -eq 0 ]
