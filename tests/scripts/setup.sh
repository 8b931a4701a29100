#!/usr/bin/env bash
# scripts/setup asks for what is missing and nothing else, as whoever may, and says so first. The
# package tools here are stand-ins that write down how they are called. Run as: setup.sh SETUP
set -euo pipefail
setup=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/sudo"
for tool in bash env grep; do
    ln -s "$(command -v "$tool")" "$work/bin/$tool"
done

fake() { # PATH, SCRIPT
    printf '#!%s\n%s\n' "$(command -v bash)" "$2" >"$1"
    chmod +x "$1"
}
fake "$work/bin/dpkg-query" '[[ " $MISSING " == *" ${*: -1} "* ]] && exit 1; echo installed'
fake "$work/bin/apt-get" 'echo "apt-get $*" >>"$CALLS"'
fake "$work/bin/id" 'echo "$USER_ID"'
fake "$work/sudo/sudo" 'echo "sudo" >>"$CALLS"; exec "$@"'

failures=0
# check NAME, MISSING, USER_ID, PATH, ARGUMENT, EXPECTED STATUS, EXPECTED CALLS
check() {
    local status=0
    : >"$work/calls"
    MISSING=$2 USER_ID=$3 CALLS=$work/calls PATH=$4 "$work/bin/bash" "$setup" $5 >"$work/said" 2>&1 ||
        status=$?
    if [ "$status" != "$6" ] || [ "$(cat "$work/calls")" != "$7" ]; then
        echo "$1: expected status $6 and calls:"
        echo "$7"
        echo "got status $status and calls:"
        cat "$work/calls" "$work/said"
        failures=$((failures + 1))
    fi
}
said() {
    grep -q -- "$1" "$work/said" || { echo "not said: $1"; cat "$work/said"; failures=$((failures + 1)); }
}

install='apt-get install -y -qq --no-install-recommends'
bin=$work/bin
check 'all is there' '' 0 "$bin" '' 0 ''
check 'one is missing, as root' 'meson' 0 "$bin" '' 0 "apt-get update -qq
$install meson"
said 'meson: describes the build'
check 'two are missing, by sudo' 'gcc libpng-dev' 1000 "$bin:$work/sudo" '' 0 "sudo
apt-get update -qq
sudo
$install gcc libpng-dev"
check 'neither root nor sudo' 'gcc libpng-dev' 1000 "$bin" '' 1 ''
said 'apt-get install gcc libpng-dev'
check 'what only tests need is left alone' 'libcmocka-dev' 0 "$bin" '' 0 ''
check 'what tests need' 'libcmocka-dev' 0 "$bin" --test 0 "apt-get update -qq
$install libcmocka-dev"
check 'what tests for ARM need' 'libcmocka-dev qemu-user' 0 "$bin" --aarch64 0 "apt-get update -qq
$install qemu-user"
check 'what packages need' 'debhelper cppcheck' 0 "$bin" --package 0 "apt-get update -qq
$install debhelper"
check 'what analysis needs' 'debhelper cppcheck' 0 "$bin" --analyse 0 "apt-get update -qq
$install cppcheck"
check 'what coverage needs' 'libcmocka-dev gcovr' 0 "$bin" --coverage 0 "apt-get update -qq
$install libcmocka-dev gcovr"
rm "$bin/dpkg-query"
check 'not a Debian' '' 0 "$bin" '' 0 ''
said 'libdnnl-dev: oneDNN'
[ "$failures" -eq 0 ]
