#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# A vCPU's local APIC in both modes, by a tiny Service VM (tests/guest/tiny/apic.c), the same file everywhere: emulated
# on AMD with two CPUs, and on Intel; as the CPU's own, where it has that; and with interrupts posted between two.
load helper

setup_file() {
	"$DEV/mkimages"
	local tiny=(--bare --kernel "$BUILD/guest/apic" --timeout 120)
	boot apic_amd --grub "${tiny[@]}" --smp 2 --mem 512M --append cpus=2
	bochs_boot apic_plain "${tiny[@]}" --initrd /dev/null --cpus 2 --append cpus=2 --options apic=plain
	bochs_boot apic_cpu "${tiny[@]}" --initrd /dev/null --cpus 2 --append cpus=2
	bochs_boot apic_posted "${tiny[@]}" --initrd /dev/null --cpus 2 --append cpus=2 --model skylake
}

everywhere() { # NAME [x2apic]: in both modes, or in this one alone
	local bed
	for bed in amd plain cpu posted; do
		[ "${2:-}" = x2apic ] || passes "apic_$bed" "xapic-$1"
		passes "apic_$bed" "x2apic-$1"
	done
}

@test "the hypervisor says who the local APIC is" {
	says apic_plain "the local APIC is emulated in xAPIC mode, emulated in x2APIC mode"
	says apic_cpu "the local APIC is the CPU's in xAPIC mode, the CPU's in x2APIC mode"
	never_says apic_cpu "interrupts are posted"
	says apic_posted "interrupts are posted to a guest that runs"
}
@test "it is the same acrn.elf byte for byte, in both emulators" {
	local bed hash
	hash=$(sha256sum <"$BUILD/hypervisor/acrn.elf" | cut -d' ' -f1)
	for bed in amd plain cpu posted; do
		grep -qE "run: acrn.elf $hash\$" "$LOGS/apic_$bed.run"
	done
}
@test "a CPU takes its own interrupts, the highest first" {
	everywhere an-interrupt-to-itself-is-taken
	everywhere the-highest-is-taken-first
}
@test "an NMI comes with interrupts off, the next one after its IRET" { everywhere an-nmi-waits-for-the-end-of-the-last; }
@test "priority, CR8 and what is served hold interrupts back" {
	everywhere priority-holds-back
	everywhere what-is-served-holds-back
	everywhere cr8-is-the-priority
}
@test "registers keep what is written; an illegal vector is an error" {
	everywhere registers-keep-what-is-written
	everywhere an-illegal-vector-is-an-error
}
@test "the timer wakes a halted CPU" { everywhere the-timer-wakes-a-halted-cpu; }
@test "what waits survives the change to x2APIC mode" { everywhere what-waits-survives-the-change-of-mode x2apic; }
@test "MSRs that an x2APIC does not have, and bad values, fault" {
	everywhere msrs-that-are-none-fault x2apic
	everywhere bad-writes-fault x2apic
}
@test "the self-IPI register works" { everywhere the-self-ipi-register-works x2apic; }
@test "another CPU takes interrupts, at work and halted, none lost, none twice" {
	everywhere a-second-cpu-starts
	everywhere a-cpu-at-work-takes-interrupts
	everywhere a-halted-cpu-takes-interrupts
}
