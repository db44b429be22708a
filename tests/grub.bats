#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# acrn.elf through GRUB's multiboot2 on a BIOS machine: one CPU, no x2APIC, little memory; it ends by a reboot. And a
# start that fails, by the menu entry that 20_acrn makes, with plain Linux behind it.
load helper

setup_file() {
	boot grub --grub --smp 1 --mem 512M --cpu max,-monitor,-x2apic --iommu none --timeout 240 --off \
		--run "$TOP/tests/guest/service/reboot.sh"
	failed_start
}

# The menu of 20_acrn is used in pieces, as on a machine whose usual entry is plain Linux and whose next one is ACRN.
failed_start() {
	local work=$BATS_FILE_TMPDIR cache=${ACRN_CACHE:-$HOME/.cache/acrn} kernel lib menu
	kernel=$(ls "$cache"/kernel/boot/vmlinuz-*) lib=$work/grub
	mkdir -p "$lib" "$work/boot"
	printf '[hypervisor]\nconsole = serial 0x3f8 115200\nwatchdog = 10\n[service-vm]\nkernel = %s\ninitrd = %s\n' \
		"$kernel" "$work/boot/initrd.img" >"$work/boot/acrn.conf"
	echo "cmdline = console=ttyS1,115200 quiet no_timer_check rdinit=/none root=/dev/none panic=0" >>"$work/boot/acrn.conf"
	cp "$BUILD/hypervisor/acrn.elf" "$work/boot"
	"$DEV/mkinitrd" overlay "$work/overlay.img" --file "$TOP/tests/guest/service/log.sh:payload/run" \
		--file "$TOP/tests/guest/lib.sh:payload/guest/lib.sh" --file "$TOP/scripts/install/acrn:payload/acrn" \
		--file "$TOP/scripts/install/boot.sh:payload/boot.sh"
	cat "$BUILD/images/service.img" "$work/overlay.img" >"$work/boot/initrd.img"
	printf '%s\n' 'prepare_grub_to_access_device() { echo "search --file --set=root /acrn.elf"; }' \
		'make_system_path_relative_to_its_root() { echo "/${1##*/}"; }' >"$lib/grub-mkconfig_lib"
	printf '#!/bin/sh\necho disk\n' >"$lib/grub-probe"
	chmod +x "$lib/grub-probe"
	menu=$(PATH=$lib:$PATH pkgdatadir=$lib ACRN_BOOT=$work/boot ACRN_LIB=$TOP/scripts/install \
		sh "$TOP/scripts/install/20_acrn")
	{
		printf 'serial --unit=0 --speed=115200\nterminal_output serial\n'
		sed -n '/^if .*= xpc/,/^fi/p' <<<"$menu"
		echo 'if [ "$acrn_log" = 4e524341 ]; then'
		echo "linux /${kernel##*/} console=ttyS1,115200 panic=-1 quiet loglevel=4 no_timer_check"
		printf 'initrd /initrd.img\nboot\nelse\n'
		sed -n "/^menuentry 'ACRN'/,/^}/p" <<<"$menu" | sed '1d; $d'
		echo fi
	} >"$work/grub.cfg"
	"$DEV/mkdisk" grub "$work/disk.img" "$work/grub.cfg:boot/grub/grub.cfg" "$work/boot/acrn.elf:acrn.elf" \
		"$work/boot/acrn.conf:acrn.conf" "$kernel:${kernel##*/}" "$work/boot/initrd.img:initrd.img"
	boot grub_log --grub --boot "$work/disk.img" --smp 2 --mem 768M --reboot --timeout 300
	rm -f "$work/disk.img" "$work/boot/initrd.img"
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
@test "plain Linux behind a start that failed by GRUB has its log, out of memory that GRUB has cut away" {
	passes grub_log plain-linux
	passes grub_log the-memory-is-cut-out
	passes grub_log the-log-is-there
	passes grub_log it-tells-the-reason
	passes grub_log its-first-line-is-there
	passes grub_log it-is-saved
}
@test "a log that was told once is not told again" { passes grub_log it-is-gone-from-memory; }
