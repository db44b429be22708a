#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# acrn.elf through GRUB's multiboot2 on a BIOS machine: one CPU, no x2APIC, little memory; it ends by a reboot. The same by
# a GRUB that UEFI firmware has started. And a start that fails, by the menu entry that 20_acrn makes, with plain Linux
# behind it.
load helper

setup_file() {
	boot grub --grub --smp 1 --mem 512M --cpu max,-monitor,-x2apic --iommu none --timeout 240 --off \
		--run "$TOP/tests/guest/service/reboot.sh"
	by_uefi
	failed_start
}

by_uefi() {
	local work=$BATS_FILE_TMPDIR/uefi kernel
	kernel=$(ls "${ACRN_CACHE:-$HOME/.cache/acrn}"/kernel/boot/vmlinuz-*)
	mkdir -p "$work"
	"$DEV/mkinitrd" overlay "$work/overlay.img" --file "$TOP/tests/guest/service/reboot.sh:payload/run" \
		--file "$TOP/tests/guest/lib.sh:payload/guest/lib.sh"
	cat "$BUILD/images/service.img" "$work/overlay.img" >"$work/initrd.img"
	printf '%s\n' '[hypervisor]' 'console = serial 0x3f8 115200' '[service-vm]' 'kernel = vmlinuz' 'initrd = initrd.img' \
		'cmdline = console=ttyS1,115200 panic=-1 no_timer_check quiet loglevel=4' >"$work/acrn.conf"
	printf '%s\n' 'multiboot2 /acrn.elf' 'module2 /acrn.conf acrn.conf' 'module2 /vmlinuz kernel' \
		'module2 /initrd.img initrd' boot >"$work/grub.cfg"
	grub-mkimage -O x86_64-efi -o "$work/grub.efi" -p /EFI/BOOT configfile fat normal multiboot2 boot
	"$DEV/mkdisk" esp "$work/disk.img" "$work/grub.efi:EFI/BOOT/BOOTX64.EFI" "$work/grub.cfg:EFI/BOOT/grub.cfg" \
		"$BUILD/hypervisor/acrn.elf:acrn.elf" "$work/acrn.conf:acrn.conf" "$kernel:vmlinuz" "$work/initrd.img:initrd.img"
	boot grub_uefi --efi --boot "$work/disk.img" --smp 1 --mem 768M --cpu max,-monitor,-x2apic --timeout 240 --off
	rm -rf "$work"
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
@test "GRUB does so where UEFI firmware has started it" {
	says grub_uefi 'started by GRUB'
	passes grub_uefi hypervisor-signature
	says grub_uefi 'TEST-EXIT 0'
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
