#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# acrn.elf through GRUB's multiboot2 on a BIOS machine: one CPU, no x2APIC, little memory; it ends by a reboot.
load helper

setup_file() {
	boot grub --grub --smp 1 --mem 512M --cpu max,-monitor,-x2apic --iommu none --timeout 240 --off \
		--run "$TOP/tests/guest/service/reboot.sh"
}

@test "GRUB starts acrn.elf by multiboot2, and the Service VM runs above it" {
	passes grub hypervisor-signature
	passes grub one-cpu
}
@test "a machine without x2APIC works" {
	passes grub no-x2apic
	passes grub a-sleep-lasts-what-it-says
}
@test "a machine without an IOMMU says so, once" {
	[ "$(grep -c "iommu: none is used" "$LOGS/grub.log.hv")" = 1 ]
}
@test "the Service VM's reboot ends the machine" {
	says grub "TEST-EXIT 0"
	grep "machine off" "$LOGS/grub.run"
}
