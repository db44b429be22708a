#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# What make check-intel runs beyond intel.bats: the hypervisor's checks of itself on four CPUs of Bochs, and the whole
# stack on one.
load helper

setup_file() {
	local dir=$BATS_FILE_TMPDIR
	printf '[hypervisor]\nconsole = serial 0x3f8 115200\nloglevel = debug\n[service-vm]\nkernel = vmlinuz\n' >"$dir/acrn.conf"
	bochs_boot intel_self --cpus 4 --mem 512 --conf "$dir/acrn.conf" --kernel "$BUILD/guest/hostile" --bare \
		--options "panic=halt crash=fault" --timeout 200 --expect 'halted; reset the machine by hand' --reject ''
	bochs_boot intel_one --cpus 1 --append acrn.cpus=1 --timeout 900 --off --run "$TOP/tests/guest/service/intel.sh"
}

@test "all four CPUs run, and each answers a call" {
	says intel_self "cpu: .*, 4 running"
	says intel_self "selftest: PASS every CPU answers a call"
	says intel_self "selftest: PASS every CPU survives an NMI and counts it"
}
@test "no check of the hypervisor's own fails" {
	says intel_self "selftest: done, 0 failures"
	never_says intel_self "selftest: FAIL"
}
@test "a fault of the hypervisor's own ends in a readable dump" {
	says intel_self "PANIC on CPU 0: page fault at 0x[0-9a-f]+"
	says intel_self "rip ffffffff8[0-9a-f]{7} rflags"
}
@test "the same stack on one CPU" {
	says intel_one "TEST-EXIT 0"
	grep "machine off" "$LOGS/intel_one.run"
}
