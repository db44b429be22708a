# SPDX-License-Identifier: BSD-3-Clause
# What the test files share. A boot is slow, so a file boots once, in setup_file, and each @test asks the transcript
# for a named line of it: scripts in the guests say "PASS name" or "FAIL name: why" (tests/guest/lib.sh).

TOP=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
DEV=$TOP/scripts/dev
BUILD=${ACRN_BUILD:-$TOP/build}
LOGS=$BUILD/logs

# boot NAME [emu-run options]: transcripts build/logs/NAME.log and .log.hv. A boot that failed is told by the
# tests, each for itself, not by setup_file.
boot() {
	local name=$1
	shift
	mkdir -p "$LOGS"
	"$DEV/emu-run" --log "$LOGS/$name.log" "$@" >"$LOGS/$name.run" 2>&1 3>&- || true
}

# monitor_when NAME REGEX COMMAND: before boot NAME, which must get "${MONITOR[@]}": the emulator is given the command
# (screendump, nmi) as soon as a transcript says so.
monitor_when() {
	local pipe=$BATS_FILE_TMPDIR/monitor
	mkdir -p "$LOGS"
	rm -f "$LOGS/$1.log" "$LOGS/$1.log.hv"
	mkfifo "$pipe.in" "$pipe.out"
	MONITOR=(-chardev "pipe,id=monitor,path=$pipe" -mon chardev=monitor)
	{
		for _ in $(seq 2000); do
			if cat "$LOGS/$1.log" "$LOGS/$1.log.hv" | grep -aqE "$2"; then
				echo "$3" >"$pipe.in"
				break
			fi
			sleep 0.2
		done
	} >/dev/null 2>&1 3>&- &
	MONITOR_PID=$!
}

# bochs_boot NAME [bochs-run options]: the same in Bochs
bochs_boot() {
	local name=$1
	shift
	mkdir -p "$LOGS"
	"$DEV/bochs-run" --log "$LOGS/$name.log" "$@" >"$LOGS/$name.run" 2>&1 3>&- || true
}

# last_lines NAME: what a person wants to see first when a boot went wrong.
last_lines() {
	cat "$LOGS/$1.run"
	echo "--- the last lines of $1.log"
	tail -n 15 "$LOGS/$1.log" | tr -d '\r'
	echo "--- the last lines of $1.log.hv"
	tail -n 15 "$LOGS/$1.log.hv" | tr -d '\r'
}

# passes NAME CHECK: the guest reported this check, as passed.
passes() {
	local lines
	lines=$(tr -d '\r' <"$LOGS/$1.log" | grep -aE "(^|[| ])(PASS|FAIL) $2(:|\$)") || {
		echo "no line about '$2' in build/logs/$1.log"
		last_lines "$1"
		return 1
	}
	echo "$lines"
	if grep -q "FAIL $2" <<<"$lines"; then
		return 1
	fi
}

# says NAME REGEX: either transcript has a line like this.
says() {
	cat "$LOGS/$1.log" "$LOGS/$1.log.hv" | tr -d '\r' | grep -aqE "$2" || {
		echo "no line like '$2' in build/logs/$1.log{,.hv}"
		last_lines "$1"
		return 1
	}
}

# never_says NAME REGEX: the machine came up, and no such line came.
never_says() {
	[ -s "$LOGS/$1.log.hv" ] || [ -s "$LOGS/$1.log" ] || { echo "nothing booted"; return 1; }
	if cat "$LOGS/$1.log" "$LOGS/$1.log.hv" | tr -d '\r' | grep -aE "$2"; then
		return 1
	fi
}
