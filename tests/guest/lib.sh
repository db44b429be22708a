# SPDX-License-Identifier: BSD-3-Clause
# What the scripts in the guests share. Sourced as /payload/guest/lib.sh in the Service VM, /payload/lib.sh in a User VM.
# A check ends in exactly one line, "PASS name" or "FAIL name: why"; finish is the script's exit.

failures=0

pass() { echo "PASS $1"; }

fail() { # NAME WHY...
	name=$1
	shift
	echo "FAIL $name: $*"
	failures=$((failures + 1))
}

# check NAME COMMAND...: passes when the command does; its output is the reason otherwise
check() {
	name=$1
	shift
	if out=$("$@" 2>&1); then
		pass "$name"
	else
		fail "$name" "'$*' gave $? $(echo "$out" | tail -n 3 | tr '\n' ' ')"
	fi
}

# answers ADDRESS: three times, and each answer may take a minute. Of several, ping gives the last one a second only.
answers() {
	for _ in 1 2 3; do
		ping -c 1 -W 60 "$1" || return 1
	done
}

# equal NAME GOT WANTED
equal() {
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1" "got '$2', wanted '$3'"
	fi
}

# until_true SECONDS COMMAND...: polls, because a guest has nothing better; fails when the time is over
until_true() {
	limit=$(($(cut -d. -f1 /proc/uptime) + $1))
	shift
	while ! "$@" >/dev/null 2>&1; do
		[ "$(cut -d. -f1 /proc/uptime)" -lt $limit ] || return 1
		usleep 100000
	done
}

# rom_of DEVICE: the md5 sum of its expansion ROM; DEVICE is its folder in sysfs
rom_of() {
	echo 1 >"$1/rom"
	md5sum <"$1/rom" | cut -d' ' -f1
	echo 0 >"$1/rom"
}

finish() { exit $((failures > 0)); }
