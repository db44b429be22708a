#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# What make demo shows once all is built: with nobody at the terminal, with somebody who types, and when a stage fails.
load helper

setup_file() {
	"$DEV/mkimages"
	mkdir -p "$LOGS"
	local status=0
	"$DEV/demo" </dev/null >"$LOGS/demo-batch.out" 2>&1 3>&- || status=$?
	echo "EXIT $status" >>"$LOGS/demo-batch.out"
	at_a_terminal
	without_a_module
}

# A person who waits for the User VM's shell, tries it and goes.
at_a_terminal() {
	local out=$LOGS/demo-terminal.out keys=$BATS_FILE_TMPDIR/keys
	mkfifo "$keys"
	: >"$out"
	script -qfec "$DEV/demo" /dev/null <"$keys" >"$out" 2>&1 3>&- &
	exec 7>"$keys"
	await "$out" '^/ # ' && echo 'echo "typed $((6 * 7))"' >&7
	await "$out" '^typed 42' && echo 'poweroff -f' >&7
	local status=0
	await "$out" 'every stage came|demo: ' || kill $! || true
	wait $! || status=$?
	exec 7>&-
	echo "EXIT $status" >>"$out"
}

await() { # FILE REGEX
	for _ in $(seq 1200); do
		! tr -d '\r' <"$1" | grep -aqE "$2" || return 0
		sleep 0.2
	done
	return 1
}

# The same build but for the module.
without_a_module() {
	local build=$BATS_FILE_TMPDIR/build status=0 f
	mkdir -p "$build/logs"
	for f in "$BUILD"/*; do
		case ${f##*/} in hsm | logs) ;; *) ln -s "$f" "$build/" ;; esac
	done
	ACRN_BUILD=$build "$DEV/demo" </dev/null >"$LOGS/demo-fails.out" 2>&1 3>&- || status=$?
	echo "EXIT $status" >>"$LOGS/demo-fails.out"
}

shows() { # NAME REGEX
	tr -d '\r' <"$LOGS/demo-$1.out" | grep -aqE "$2" || {
		echo "no line like '$2' in build/logs/demo-$1.out; its last lines:"
		tail -n 20 "$LOGS/demo-$1.out"
		return 1
	}
}

@test "make demo without a terminal: every stage, a command's output, a clean end" {
	shows batch '=== 1/5'
	shows batch '=== 2/5'
	shows batch '=== 3/5'
	shows batch '=== 4/5'
	shows batch '=== 5/5'
	shows batch '# uname -a'
	shows batch '[12] packets received'
	shows batch 'DEMO-USER-VM-DONE'
	shows batch 'every stage came'
	shows batch '^EXIT 0$'
}
@test "make demo at a terminal: the User VM's shell takes what is typed" {
	shows terminal '=== 4/5'
	shows terminal '^typed 42'
	shows terminal 'every stage came'
	shows terminal '^EXIT 0$'
}
@test "make demo fails and says which stage did not come" {
	shows fails 'the module did not load'
	shows fails 'demo: '
	shows fails '^EXIT [1-9]'
}
