#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# What make check-intel runs beyond intel.bats: the hypervisor's checks of itself on four CPUs of Bochs, hypercalls and
# the firmware's way by the same tiny guests as in QEMU, and the whole stack on one CPU, by UEFI, and on other models.
load helper

setup_file() {
	local dir=$BATS_FILE_TMPDIR run=(--timeout 900 --off --run "$TOP/tests/guest/service/intel.sh")
	"$DEV/mkimages"
	printf '[hypervisor]\nconsole = serial 0x3f8 115200\nloglevel = debug\n[service-vm]\nkernel = vmlinuz\n' >"$dir/acrn.conf"
	bochs_boot intel_self --cpus 4 --mem 512 --conf "$dir/acrn.conf" --kernel "$BUILD/guest/hostile" --bare \
		--options "panic=halt crash=fault" --timeout 200 --expect 'halted; reset the machine by hand' --reject ''
	bochs_boot intel_calls --cpus 2 --bare --kernel "$BUILD/guest/caller" --initrd /dev/null --timeout 300
	bochs_boot intel_one --cpus 1 --append acrn.cpus=1 "${run[@]}"
	bochs_boot intel_efi --efi --cpus 1 --append acrn.cpus=1 "${run[@]}"
	bochs_boot intel_skylake --model skylake --cpus 2 --append acrn.cpus=2 "${run[@]}"
	bochs_boot intel_ryzen --model ryzen --cpus 2 --append acrn.cpus=2 "${run[@]}"
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
@test "hypercalls by VMCALL and by VMMCALL do, and refuse, the same as on AMD" {
	passes intel_calls vmcall-triple-fault-is-an-event-and-a-request
	passes intel_calls vmmcall-triple-fault-is-an-event-and-a-request
	says intel_calls "TEST-EXIT 0"
	never_says intel_calls "^FAIL "
}
@test "a state that the CPU refuses stops the VM; the log names what is wrong, and shows the vCPU" {
	passes intel_calls vmcall-a-state-that-no-cpu-enters-stops-the-vm
	says intel_calls "refuses to enter the guest: EFER.LMA without CR0.PG and CR4.PAE"
	says intel_calls "cr0 .*80000011"
}
@test "the same stack on one CPU" {
	says intel_one "TEST-EXIT 0"
	grep "machine off" "$LOGS/intel_one.run"
}
@test "UEFI starts acrn.efi, and the same stack runs" {
	says intel_efi "started by ACRN EFI stub"
	says intel_efi "TEST-EXIT 0"
	grep "machine off" "$LOGS/intel_efi.run"
}
@test "it is the same acrn.efi that boots in QEMU, byte for byte" {
	local hash
	hash=$(sha256sum <"$BUILD/efi/acrn.efi" | cut -d' ' -f1)
	"$DEV/emu-run" --efi --bare --kernel "$BUILD/guest/hostile" --timeout 120 --expect 'tiny guest: end' \
		--log "$LOGS/intel_efi_qemu.log" >"$LOGS/intel_efi_qemu.run" 2>&1
	grep -q "emu-run: BOOTX64.EFI $hash$" "$LOGS/intel_efi_qemu.run"
	grep -q "bochs-run: acrn.efi $hash$" "$LOGS/intel_efi.run"
}
@test "the same stack on a CPU that posts interrupts, and on an AMD CPU with what QEMU lacks" {
	says intel_skylake "interrupts are posted to a guest that runs"
	says intel_skylake "TEST-EXIT 0"
	says intel_ryzen "vcpu: using SVM"
	says intel_ryzen "TEST-EXIT 0"
}
