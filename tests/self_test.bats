#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# The hypervisor alone, by GRUB on four CPUs: what it checks about itself at start, and what a bug of its own looks
# like on the serial port (option crash=fault: it writes to its own code). No VM is started. The first crash restarts
# the machine, the second one stops it.
load helper

setup_file() {
	local dir=$BATS_FILE_TMPDIR
	cat >"$dir/acrn.conf" <<-'TXT'
		[hypervisor]
		console  = serial 0x3f8 115200, screen
		loglevel = debug
		[service-vm]
		kernel = vmlinuz
	TXT
	cat >"$dir/grub.cfg" <<-'TXT'
		serial --unit=0 --speed=115200
		terminal_output serial
		if cmostest 0x70:0; then
			multiboot2 /acrn.elf panic=halt crash=fault
		else
			cmosset 0x70:0
			multiboot2 /acrn.elf crash=fault
		fi
		module2 /acrn.conf acrn.conf
		boot
	TXT
	"$DEV/mkdisk" grub "$dir/disk.img" "$BUILD/hypervisor/acrn.elf:acrn.elf" \
		"$dir/acrn.conf:acrn.conf" "$dir/grub.cfg:boot/grub/grub.cfg"
	boot self_test --grub --boot "$dir/disk.img" --smp 4 --mem 1G --iommu none --reboot --timeout 120 \
		--expect 'halted; reset the machine by hand' --reject ''
}

checked() {
	local what
	for what in "$@"; do
		says self_test "selftest: PASS $what"
	done
}

@test "all four CPUs run, and each answers a call" {
	says self_test "cpu: .*, 4 running"
	checked "every CPU answers a call" "the TSCs of all CPUs agree" \
		"every CPU survives an NMI and counts it"
}
@test "the timer of every CPU fires, not before its time" {
	checked "the timer of every CPU fires once" "and not before its time" "a deadline in the past fires at once"
}
@test "the hypervisor's page tables are W^X, and no page of its own has the user bit" {
	checked "no page is writable and executable" "no page of ours has the user bit" \
		"the image has no alias in the direct map" "our code cannot be written" \
		"our constants cannot be written" "the page below the stack cannot be read"
}
@test "WP, NX, SMEP, SMAP and UMIP are on; SMAP stops a stray access to guest memory" {
	checked "WP and NX are on" "SMEP, SMAP and UMIP are on" "guest memory can be read where we mean to" \
		"and SMAP stops it where we do not"
}
@test "no check of the hypervisor's own fails" {
	says self_test "selftest: done, 0 failures"
	never_says self_test "selftest: FAIL"
}
@test "a fault of the hypervisor's own ends in a readable dump" {
	says self_test "PANIC on CPU 0: page fault at 0x[0-9a-f]+"
	says self_test "the page at 0x[0-9a-f]+ is protected; it was written"
	says self_test "rip ffffffff8[0-9a-f]{7} rflags"
	says self_test "code addresses on the stack"
}
@test "the log survives the reset, and the next start shows its end" {
	says self_test "error: restarting in 10 seconds"
	says self_test "warning: the last run ended badly"
	says self_test "last run: .* debug: selftest: done, 0 failures"
	says self_test "last run: .* error: PANIC on CPU 0: page fault at 0x[0-9a-f]+"
	says self_test "last run: .* error: restarting in 10 seconds"
	says self_test "that was the end of the last run's log"
	[ "$(grep -ac 'the last run ended badly' "$LOGS/self_test.log.hv")" = 1 ]
}
