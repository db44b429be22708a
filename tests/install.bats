#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# update-acrn and acrn on a pretended machine: a folder stands for /, the programs of tests/install for the firmware,
# the mounts and the disks. No emulator.
load helper

ESP_TYPE=c12a7328-f81f-11d2-ba4b-00a0c93ec93b

setup() {
	export ROOT=$BATS_TEST_TMPDIR/root FAKE=$BATS_TEST_TMPDIR/fake FAKES=$TOP/tests/install
	export PARTUUID=e2e0e2e0-0000-4000-8000-0000000000e5
	# debian/tests runs this file on the installed programs
	export PROGRAMS=${ACRN_PROGRAMS:-$TOP/scripts/install} ACRN_LIB=${ACRN_LIB:-$TOP/scripts/install}
	ACRN_EFI=${ACRN_PROGRAMS:+/usr/lib/acrn/acrn.efi}
	ACRN_EFI=${ACRN_EFI:-$BUILD/efi/acrn.efi}
	PATH=$FAKES:$PATH
	mkdir -p "$FAKE/nvram" "$ROOT/usr/lib/acrn" "$ROOT/etc/default" "$ROOT/boot/efi" "$ROOT/sys/firmware/efi/efivars" \
		"$ROOT/sys/class/block/vda1" "$ROOT/proc" "$ROOT/lib/modules"
	echo 64 >"$ROOT/sys/firmware/efi/fw_platform_size"
	echo 1 >"$ROOT/sys/class/block/vda1/partition"
	cp "$TOP/scripts/install/default" "$ROOT/etc/default/acrn"
	echo "efi 1" >"$ROOT/usr/lib/acrn/acrn.efi"
	echo "elf 1" >"$ROOT/usr/lib/acrn/acrn.elf"
	kernel 6.1.0-9-amd64
	echo "GRUB_CMDLINE_LINUX_DEFAULT=\"quiet  splash\"" >"$ROOT/etc/default/grub"
	printf '/boot/efi /dev/vda1 vfat E2E0-E2E0 /\n/ /dev/vda2 ext4 1234-uuid /\n' >"$FAKE/mounts"
	printf '/dev/vda1 /dev/vda %s %s\n/dev/vda2 /dev/vda - -\n' "$PARTUUID" $ESP_TYPE >"$FAKE/devices"
	printf 'Boot0000* debian\tHD(1,GPT,%s,0x800,0x50000)/File(\\EFI\\debian\\shimx64.efi)\n' "$PARTUUID" \
		>"$FAKE/nvram/Boot0000"
	printf 'Boot0001* UEFI Shell\tFvVol(7cb8bdc9-f8eb-4f34-aaea-3ee4af6516a1)\n' >"$FAKE/nvram/Boot0001"
	echo 0000,0001 >"$FAKE/nvram/order"
	echo 400000 >"$FAKE/free"
	: >"$FAKE/calls"
	acrn=$ROOT/boot/efi/EFI/acrn
}

kernel() {
	echo "kernel $1" >"$ROOT/boot/vmlinuz-$1"
	echo "initrd $1" >"$ROOT/boot/initrd.img-$1"
}

setting() { echo "$1" >>"$ROOT/etc/default/acrn"; }

with_grub() {
	mkdir -p "$ROOT/boot/grub"
	echo "menuentry 'Debian' {" >"$ROOT/boot/grub/grub.cfg"
}

update() { "$PROGRAMS/update-acrn" --root "$ROOT" "$@"; }

# fails TEXT [ARGUMENTS]: update-acrn fails and says so; nothing stands on the partition or in the firmware
fails() {
	local text=$1
	shift
	run update "$@"
	echo "$output"
	[ "$status" = 1 ]
	[[ $output == *"$text"* ]]
}

# Everything that a machine would keep, as text.
listing() {
	(
		cd "$ROOT" && find boot var 2>/dev/null -type f | grep -v 'grub\.cfg$' | LC_ALL=C sort | xargs -r md5sum
		cat "$FAKE/nvram"/*
	)
}

# What must hold at any moment: every boot entry of ours starts a program with an acrn.conf whose files are there.
is_bootable() {
	local path conf f
	grep -ho 'EFI.acrn[^)]*' "$FAKE/nvram"/Boot* | tr '\\' / | while read -r path; do
		[ -s "$ROOT/boot/efi/$path" ] || { echo "an entry starts $path, which is not there"; exit 1; }
		conf=$ROOT/boot/efi/$(dirname "$path")/acrn.conf
		for f in $(sed -n 's/^\(kernel\|initrd\) *= *//p' "$conf"); do
			cmp -s "$ROOT/boot/efi$f" "$ROOT/boot/${f##*/}" || { echo "$conf names $f, which is no good"; exit 1; }
		done
		grep -q ^kernel "$conf" || { echo "$conf names no kernel"; exit 1; }
	done
}

@test "the hypervisor, the newest kernel, its initrd and acrn.conf are put on the partition" {
	kernel 6.1.0-10-amd64
	update
	cmp "$acrn/acrn.efi" "$ROOT/usr/lib/acrn/acrn.efi"
	cmp "$acrn/vmlinuz-6.1.0-10-amd64" "$ROOT/boot/vmlinuz-6.1.0-10-amd64"
	cmp "$acrn/initrd.img-6.1.0-10-amd64" "$ROOT/boot/initrd.img-6.1.0-10-amd64"
	[ ! -e "$acrn/vmlinuz-6.1.0-9-amd64" ]
	grep -qx 'kernel  = /EFI/acrn/vmlinuz-6.1.0-10-amd64' "$acrn/acrn.conf"
	grep -qx 'initrd  = /EFI/acrn/initrd.img-6.1.0-10-amd64' "$acrn/acrn.conf"
	grep -qx 'cmdline = root=UUID=1234-uuid ro quiet splash' "$acrn/acrn.conf"
	grep -qx 'watchdog = 300' "$acrn/acrn.conf"
}

@test "one boot entry is made, last in the order; the others stay" {
	before=$(cat "$FAKE/nvram/Boot0000" "$FAKE/nvram/Boot0001")
	run update
	[[ $output == *'boot entry Boot0002 "ACRN" made for \EFI\acrn\acrn.efi on /dev/vda partition 1'* ]]
	[ "$(cat "$FAKE/nvram/order")" = 0000,0001,0002 ]
	[ "$(cat "$FAKE/nvram/Boot0000" "$FAKE/nvram/Boot0001")" = "$before" ]
	[ "$(ls "$FAKE/nvram" | grep -c Boot)" = 3 ]
	is_bootable
}

@test "a second run changes nothing and says so" {
	with_grub
	update
	first=$(listing)
	: >"$FAKE/calls"
	run update
	[ "$output" = "update-acrn: nothing to change" ]
	[ "$(listing)" = "$first" ]
	[ ! -s "$FAKE/calls" ]
	run update --hook
	[ -z "$output" ]
}

@test "an entry is found again by partition and path, whatever its label" {
	printf 'Boot0007* my hypervisor\tHD(1,GPT,%s,0x800,0x50000)/File(\\efi\\ACRN\\acrn.EFI)\n' "${PARTUUID^^}" \
		>"$FAKE/nvram/Boot0007"
	echo 0007,0000,0001 >"$FAKE/nvram/order"
	update
	[ "$(ls "$FAKE/nvram" | grep -c Boot)" = 3 ]
	# where somebody put it, it stays
	[ "$(cat "$FAKE/nvram/order")" = 0007,0000,0001 ]
}

@test "an entry of another partition or of another file is not ours" {
	printf 'Boot0007* ACRN\tHD(1,GPT,aaaaaaaa-0000-4000-8000-0000000000e5,0x800,0x50000)/File(\\EFI\\acrn\\acrn.efi)\n' \
		>"$FAKE/nvram/Boot0007"
	printf 'Boot0008* ACRN\tHD(1,GPT,%s,0x800,0x50000)/File(\\EFI\\acrn\\acrn.efi.old)\n' "$PARTUUID" \
		>"$FAKE/nvram/Boot0008"
	update
	[ -e "$FAKE/nvram/Boot0002" ]
	[ -e "$FAKE/nvram/Boot0007" ] && [ -e "$FAKE/nvram/Boot0008" ]
	update --remove
	[ ! -e "$FAKE/nvram/Boot0002" ]
	[ -e "$FAKE/nvram/Boot0007" ] && [ -e "$FAKE/nvram/Boot0008" ]
}

@test "a second entry for the same program goes" {
	update
	sed 's/Boot0002/Boot0005/' "$FAKE/nvram/Boot0002" >"$FAKE/nvram/Boot0005"
	run update
	[[ $output == *"boot entry Boot0005 removed: Boot0002 is the same"* ]]
	[ ! -e "$FAKE/nvram/Boot0005" ]
}

@test "ACRN becomes the default only when the settings say so, and last again when they no longer do" {
	setting ACRN_DEFAULT=yes
	update
	[ "$(cat "$FAKE/nvram/order")" = 0002,0000,0001 ]
	# a default entry that restarts would come back for ever
	! grep watchdog "$acrn/acrn.conf"
	setting ACRN_DEFAULT=no
	update
	grep ^0000,0001,0002 "$FAKE/nvram/order"
	update
	grep ^0000,0001,0002 "$FAKE/nvram/order"
}

@test "a new hypervisor keeps the one before, with its kernel, as ACRN (previous)" {
	update
	echo "efi 2" >"$ROOT/usr/lib/acrn/acrn.efi"
	kernel 6.1.0-10-amd64
	update
	[ "$(cat "$acrn/acrn.efi")" = "efi 2" ]
	[ "$(cat "$acrn/previous/acrn.efi")" = "efi 1" ]
	grep -q vmlinuz-6.1.0-9-amd64 "$acrn/previous/acrn.conf"
	[ -e "$acrn/vmlinuz-6.1.0-9-amd64" ] && [ -e "$acrn/vmlinuz-6.1.0-10-amd64" ]
	grep -q 'ACRN (previous).*acrn.previous.acrn.efi' "$FAKE/nvram"/Boot0003
	is_bootable
	# a third one: the first kernel is nobody's any more
	kernel 6.1.0-11-amd64
	update
	[ ! -e "$acrn/vmlinuz-6.1.0-9-amd64" ]
	is_bootable
}

@test "a kernel without its initrd waits for the initramfs hook, and is taken then" {
	update
	echo "kernel 6.1.0-10-amd64" >"$ROOT/boot/vmlinuz-6.1.0-10-amd64"
	run update --hook
	[ -z "$output" ]
	kernel 6.1.0-10-amd64
	update --hook
	grep -q 6.1.0-10 "$acrn/acrn.conf"
}

@test "a removed kernel is no longer the Service VM's" {
	kernel 6.1.0-10-amd64
	update
	rm "$ROOT"/boot/*-6.1.0-10-amd64
	update
	grep -q 6.1.0-9 "$acrn/acrn.conf"
	is_bootable || true
	[ -e "$acrn/vmlinuz-6.1.0-9-amd64" ]
}

@test "a chosen kernel is taken; one that is not there is refused" {
	kernel 6.1.0-10-amd64
	setting ACRN_KERNEL=6.1.0-9-amd64
	update
	grep -q 'vmlinuz-6.1.0-9-amd64' "$acrn/acrn.conf"
	setting ACRN_KERNEL=5.0
	before=$(listing)
	fails "ACRN_KERNEL=5.0, but there is no /boot/vmlinuz-5.0"
	[ "$(listing)" = "$before" ]
}

@test "the command line: the settings', /etc/kernel/cmdline, or the root file system's; and what cannot be one" {
	mkdir -p "$ROOT/etc/kernel"
	echo "root=LABEL=x rw" >"$ROOT/etc/kernel/cmdline"
	update
	grep -qx 'cmdline = root=LABEL=x rw' "$acrn/acrn.conf"
	setting 'ACRN_CMDLINE="root=/dev/sda1 single"'
	update
	grep -qx 'cmdline = root=/dev/sda1 single' "$acrn/acrn.conf"
	setting 'ACRN_CMDLINE="root=/dev/sda1 #1"'
	fails "holds a word that begins with #"
	setting 'ACRN_CMDLINE='
	rm "$ROOT/etc/kernel/cmdline"
	sed -i 's#^/ .*#/ /dev/mapper/vg-root btrfs 1234 /@#' "$FAKE/mounts"
	update
	grep -qx 'cmdline = root=/dev/mapper/vg-root rootflags=subvol=@ ro quiet splash' "$acrn/acrn.conf"
	sed -i 's#^/ .*#/ rpool/root zfs 1234 /#' "$FAKE/mounts"
	fails 'the root file system is on "rpool/root": set ACRN_CMDLINE'
}

@test "bad settings are named, and nothing is changed" {
	before=$(listing)
	setting ACRN_DEFAULT=maybe
	fails 'ACRN_DEFAULT is "maybe", not yes or no'
	setting ACRN_DEFAULT=no
	setting ACRN_WATCHDOG=5min
	fails 'ACRN_WATCHDOG is "5min", not a number of seconds'
	setting ACRN_WATCHDOG=300
	setting ACRN_SIGN_KEY=/x
	fails 'ACRN_SIGN_KEY and ACRN_SIGN_CERT go together'
	[ "$(listing)" = "$before" ]
}

@test "no partition mounted: the message names it, and how; hooks do not fail" {
	sed -i '/boot.efi/d' "$FAKE/mounts"
	before=$(listing)
	fails "the EFI system partition /dev/vda1 is not mounted; mount it at /boot/efi and run update-acrn"
	run update --hook
	[ "$status" = 0 ]
	[[ $output == *"is not mounted"* ]]
	: >"$FAKE/devices"
	fails "no EFI system partition found"
	[ "$(listing)" = "$before" ]
}

@test "ACRN_ESP chooses the partition; one that is not mounted is refused" {
	setting ACRN_ESP=/boot/efi
	update
	setting ACRN_ESP=/nowhere
	fails "no FAT volume is mounted at ACRN_ESP=/nowhere"
}

@test "no space on the partition: told in numbers, and the old entry still boots" {
	update
	before=$(listing)
	head -c 3000000 /dev/urandom >"$ROOT/boot/vmlinuz-6.1.0-10-amd64"
	echo x >"$ROOT/boot/initrd.img-6.1.0-10-amd64"
	echo 2000 >"$FAKE/free"
	run update
	echo "$output"
	[ "$status" = 1 ]
	[[ $output == *"/boot/efi has 1 MiB free, "*" MiB are needed; the entry stays as it was"* ]]
	rm "$ROOT"/boot/*-6.1.0-10-amd64
	[ "$(listing)" = "$before" ]
	is_bootable
}

@test "when there is room for one set only, the previous one goes, and a line says so" {
	update
	for v in 10 11; do
		head -c 3000000 /dev/urandom >"$ROOT/boot/vmlinuz-6.1.0-$v-amd64"
		echo x >"$ROOT/boot/initrd.img-6.1.0-$v-amd64"
		[ $v = 10 ] || echo 7500 >"$FAKE/free"
		run update
	done
	echo "$output"
	[ "$status" = 0 ]
	# with 11 written, 10 is the previous one; then 12 has no room beside both
	head -c 3000000 /dev/urandom >"$ROOT/boot/vmlinuz-6.1.0-12-amd64"
	echo x >"$ROOT/boot/initrd.img-6.1.0-12-amd64"
	echo 9500 >"$FAKE/free"
	run update
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"too little space on /boot/efi"*"the previous hypervisor goes"* ]]
	[ ! -e "$acrn/vmlinuz-6.1.0-10-amd64" ]
	is_bootable
}

@test "read-only variables: one line, and the files are in place for the next run" {
	: >"$FAKE/readonly"
	fails "making the boot entry failed: Could not prepare Boot variable: Read-only file system"
	[ -e "$acrn/acrn.efi" ]
	rm "$FAKE/readonly"
	update
	[ -e "$FAKE/nvram/Boot0002" ]
	rm -rf "$acrn" "$FAKE/nvram/Boot0002"
	: >"$FAKE/novars"
	fails "the firmware's variables cannot be read: EFI variables are not supported on this system."
}

@test "a partition on something that is no disk's partition is told" {
	sed -i 's#/dev/vda1 /dev/vda #/dev/vda1 - #' "$FAKE/devices"
	fails "/dev/vda1 at /boot/efi is no partition of a disk"
}

@test "container, chroot and BIOS: quiet, and nothing that does not apply" {
	before=$(listing)
	: >"$FAKE/container"
	run update
	[ "$status" = 0 ] && [ -z "$output" ]
	run update --remove
	[ "$status" = 0 ] && [ -z "$output" ]
	rm "$FAKE/container"
	rm -rf "$ROOT/sys/firmware/efi"
	run update
	[ "$status" = 0 ]
	[ "$output" = "update-acrn: nothing to change" ]
	[ "$(listing)" = "$before" ]
	[ ! -s "$FAKE/calls" ]
}

@test "BIOS with GRUB: its own folder and menu, no boot entry" {
	rm -rf "$ROOT/sys/firmware/efi"
	with_grub
	run update
	[[ $output == *"/boot/acrn/acrn.elf written"* ]]
	[[ $output == *"GRUB's menu made again"* ]]
	grep -qx 'kernel  = /boot/vmlinuz-6.1.0-9-amd64' "$ROOT/boot/acrn/acrn.conf"
	grep -q "'acrn'" "$ROOT/boot/grub/grub.cfg"
	[ "$(ls "$FAKE/nvram" | grep -c Boot)" = 2 ]
	update --remove
	[ ! -e "$ROOT/boot/acrn" ]
	! grep "'acrn'" "$ROOT/boot/grub/grub.cfg"
}

@test "in a kernel hook GRUB's own hook makes the menu; a menu that cannot be made is told" {
	with_grub
	update --hook
	! grep grub-mkconfig "$FAKE/calls"
	[ -e "$ROOT/boot/acrn/acrn.elf" ]
	: >"$FAKE/nogrub"
	echo "elf 2" >"$ROOT/usr/lib/acrn/acrn.elf"
	fails "GRUB's menu cannot be made again: grub-probe: error: cannot find a device"
}

@test "systemd-boot gets entries for ACRN and the previous one, and loses them" {
	mkdir -p "$ROOT/boot/efi/loader/entries"
	update
	grep -qx 'efi     /EFI/acrn/acrn.efi' "$ROOT/boot/efi/loader/entries/acrn.conf"
	[ ! -e "$ROOT/boot/efi/loader/entries/acrn-previous.conf" ]
	echo "efi 2" >"$ROOT/usr/lib/acrn/acrn.efi"
	update
	grep -qx 'title   ACRN (previous)' "$ROOT/boot/efi/loader/entries/acrn-previous.conf"
	update --remove
	[ -z "$(ls "$ROOT/boot/efi/loader/entries")" ]
	setting ACRN_MENUS=no
	update
	[ -z "$(ls "$ROOT/boot/efi/loader/entries")" ]
}

@test "removal leaves firmware, partition, GRUB and state as they were" {
	with_grub
	before=$(listing)
	setting ACRN_DEFAULT=yes
	update
	echo "efi 2" >"$ROOT/usr/lib/acrn/acrn.efi"
	update
	echo 0002 >"$FAKE/nvram/next"
	update --remove
	echo "$before"
	listing
	[ "$(listing)" = "$before" ]
	[ ! -e "$acrn" ]
	[ ! -e "$ROOT/var/lib/update-acrn" ]
	run update --remove
	[ "$output" = "update-acrn: nothing to change" ]
}

@test "removal keeps files of others, and says so" {
	update
	echo mine >"$acrn/notes.txt"
	run update --remove
	[[ $output == *"/boot/efi/EFI/acrn kept: it holds files of others"* ]]
	[ "$(ls "$acrn")" = notes.txt ]
}

# with_key: the real acrn.efi, and a key in the settings
with_key() {
	openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=test -days 2 -keyout "$ROOT/etc/key" -out "$ROOT/etc/cert" \
		2>/dev/null
	cp "$ACRN_EFI" "$ROOT/usr/lib/acrn/acrn.efi"
	setting ACRN_SIGN_KEY=/etc/key
	setting ACRN_SIGN_CERT=/etc/cert
}

@test "with a key acrn.efi is signed, with acrn.conf in it, and stays as it is at the next run" {
	with_key
	update
	sbverify --cert "$ROOT/etc/cert" "$acrn/acrn.efi"
	objcopy -O binary -j .conf "$acrn/acrn.efi" "$BATS_TEST_TMPDIR/conf"
	cmp "$BATS_TEST_TMPDIR/conf" "$acrn/acrn.conf"
	sleep 1.1
	run update
	[ "$output" = "update-acrn: nothing to change" ]
	setting ACRN_LOGLEVEL=debug
	update
	sbverify --cert "$ROOT/etc/cert" "$acrn/acrn.efi"
	objcopy -O binary -j .conf "$acrn/acrn.efi" "$BATS_TEST_TMPDIR/conf"
	grep -q 'loglevel = debug' "$BATS_TEST_TMPDIR/conf"
}

@test "a key that cannot sign, and an acrn.efi that is none, are told; the entry stays" {
	update
	before=$(listing)
	setting ACRN_SIGN_KEY=/etc/nokey
	setting ACRN_SIGN_CERT=/etc/nocert
	fails "is no EFI program"
	cp "$ACRN_EFI" "$ROOT/usr/lib/acrn/acrn.efi"
	fails "cannot be signed"
	[ "$(listing)" = "$before" ]
}

@test "acrn unify makes one signed program of what is installed" {
	with_key
	update
	run "$PROGRAMS/acrn" --root "$ROOT" unify "$BATS_TEST_TMPDIR/one.efi"
	echo "$output"
	[ "$output" = "acrn: $BATS_TEST_TMPDIR/one.efi made and signed" ]
	sbverify --cert "$ROOT/etc/cert" "$BATS_TEST_TMPDIR/one.efi"
	for part in .conf=acrn.conf .linux=vmlinuz-6.1.0-9-amd64 .initrd=initrd.img-6.1.0-9-amd64; do
		objcopy -O binary -j "${part%%=*}" "$BATS_TEST_TMPDIR/one.efi" "$BATS_TEST_TMPDIR/part"
		cmp "$BATS_TEST_TMPDIR/part" "$acrn/${part#*=}"
	done
}

boot_once() { "$PROGRAMS/acrn" --root "$ROOT" boot-once "$@"; }

@test "acrn boot-once sets BootNext, and nothing else" {
	run boot_once
	[ "$status" = 1 ] && [[ $output == *"there is no boot entry for \\EFI\\acrn\\acrn.efi; run update-acrn"* ]]
	update
	order=$(cat "$FAKE/nvram/order")
	boot_once
	[ "$(cat "$FAKE/nvram/next")" = 0002 ]
	[ "$(cat "$FAKE/nvram/order")" = "$order" ]
	run boot_once --previous
	[ "$status" = 1 ]
	echo "efi 2" >"$ROOT/usr/lib/acrn/acrn.efi"
	update
	boot_once --previous
	[ "$(cat "$FAKE/nvram/next")" = 0003 ]
	: >"$FAKE/readonly"
	run boot_once
	[ "$status" = 1 ] && [[ $output == *"the firmware did not take BootNext"* ]]
}

# A machine that has all that ACRN needs.
good_machine() {
	printf 'vendor_id\t: AuthenticAMD\nflags\t\t: fpu svm npt\n' >"$ROOT/proc/cpuinfo"
	echo "MemTotal:        4000000 kB" >"$ROOT/proc/meminfo"
	mkdir -p "$ROOT/sys/firmware/acpi/tables" "$ROOT/lib/modules/6.1.0-9-amd64/build"
	: >"$ROOT/sys/firmware/acpi/tables/IVRS"
	printf '#!/bin/sh\n[ ! -e "$FAKE/nomodule" ] || exit 1\necho "filename: acrn_hsm.ko"\n[ ! -e "$FAKE/signer" ] ||
		echo "signer: DKMS"\n' >"$FAKE/modinfo"
	chmod +x "$FAKE/modinfo"
	PATH=$FAKE:$PATH
}

check() { "$PROGRAMS/acrn" --root "$ROOT" check; }

# check_fails TEXT: acrn check has exactly one FAIL line, and this is in it
check_fails() {
	run check
	echo "$output"
	[ "$status" = 1 ]
	[ "$(grep -c ^FAIL <<<"$output")" = 1 ]
	grep ^FAIL <<<"$output" | grep -qF "$1"
}

@test "acrn check accepts a good machine" {
	good_machine
	update
	run check
	echo "$output"
	[ "$status" = 0 ]
	[ "$(grep -c ^ok <<<"$output")" -ge 9 ]
}

@test "acrn check tells when the partition has no room for another kernel" {
	good_machine
	update
	echo 3000 >"$FAKE/free"
	run check
	echo "$output"
	[[ $output == *"note  ESP          /boot/efi, 2 MiB free: too little for another kernel"* ]]
	echo 400000 >"$FAKE/free"
	run check
	[[ $output == *"ok    ESP          /boot/efi, "*" MiB free"* ]]
}

@test "acrn check names what is missing, with a remedy" {
	good_machine
	check_fails "has no EFI/acrn/acrn.efi; run update-acrn" || grep -q 'FAIL  entry' <<<"$output"
	update
	sed -i 's/ svm npt//' "$ROOT/proc/cpuinfo"
	check_fails "no SVM; switch on SVM (virtualization) in the firmware's setup"
	good_machine
	echo "MemTotal: 500000 kB" >"$ROOT/proc/meminfo"
	check_fails "488 MiB; 1 GiB is the least"
	good_machine
	: >"$FAKE/nomodule"
	check_fails "acrn_hsm is not built for 6.1.0-9-amd64; run dkms autoinstall"
	rmdir "$ROOT/lib/modules/6.1.0-9-amd64/build"
	check_fails "no headers for 6.1.0-9-amd64; install linux-headers-6.1.0-9-amd64"
	good_machine
	rm "$FAKE/nomodule" "$acrn/initrd.img-6.1.0-9-amd64"
	check_fails "acrn.conf names /EFI/acrn/initrd.img-6.1.0-9-amd64, which is not on /boot/efi; run update-acrn"
	update
	rm "$FAKE/nvram/Boot0002"
	check_fails "the firmware has no boot entry for ACRN; run update-acrn"
	update
	printf '\6\0\0\0\1' >"$ROOT/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
	: >"$FAKE/signer"
	check_fails "on, and acrn.efi is not signed; set ACRN_SIGN_KEY"
}

# cut_everywhere PREPARE: the power fails at every step of a run in turn. After each cut the old entry or the new one
# boots, and the next run ends where a run without a cut does.
cut_everywhere() {
	local cut=0 save=$BATS_TEST_TMPDIR/save steps=$BATS_TEST_TMPDIR/bin p wanted arguments=("$@")
	mkdir -p "$steps"
	for p in cp mv rm sync mkdir efibootmgr; do
		ln -sf "$FAKES/step" "$steps/$p"
	done
	cp -a "$ROOT" "$save.root"
	cp -a "$FAKE" "$save.fake"
	update "${arguments[@]}" >/dev/null
	wanted=$(listing)
	while :; do
		rm -rf "$ROOT" "$FAKE"
		cp -a "$save.root" "$ROOT"
		cp -a "$save.fake" "$FAKE"
		cut=$((cut + 1))
		if CUT=$cut PATH=$steps:$PATH setsid -w "$PROGRAMS/update-acrn" --root "$ROOT" "${arguments[@]}" \
			>/dev/null 2>&1; then
			break
		fi
		is_bootable || { echo "cut at step $cut"; return 1; }
		update "${arguments[@]}" >/dev/null || { echo "the run after a cut at step $cut failed"; return 1; }
		[ "$(listing)" = "$wanted" ] || {
			echo "after a cut at step $cut:"
			diff <(echo "$wanted") <(listing)
			return 1
		}
	done
	echo "$cut steps"
	[ $cut -gt 10 ]
}

@test "power may fail at any step of the first run" {
	with_grub
	cut_everywhere
}

@test "power may fail at any step of an upgrade of hypervisor and kernel" {
	with_grub
	update
	echo "efi 2" >"$ROOT/usr/lib/acrn/acrn.efi"
	echo "elf 2" >"$ROOT/usr/lib/acrn/acrn.elf"
	kernel 6.1.0-10-amd64
	cut_everywhere
}

@test "power may fail at any step of a removal" {
	update
	echo "efi 2" >"$ROOT/usr/lib/acrn/acrn.efi"
	update
	cut_everywhere --remove
}

@test "a wrong option and a missing folder are refused" {
	run update --what
	[ "$status" = 2 ] && [[ $output == *"unknown option --what"* ]]
	run "$PROGRAMS/update-acrn" --root /nowhere
	[ "$status" = 2 ] && [[ $output == *"/nowhere: no such folder"* ]]
}

# --- shim ---------------------------------------------------------------------------------------------------------

@test "with shim the entry starts shim, which is told our name; without it the entry is ours again" {
	mkdir -p "$ROOT/usr/lib/shim"
	echo shim >"$ROOT/usr/lib/shim/shim"
	setting ACRN_SHIM=/usr/lib/shim/shim
	update
	cmp "$acrn/shimx64.efi" "$ROOT/usr/lib/shim/shim"
	grep -qF 'File(\EFI\acrn\shimx64.efi)\.a.c.r.n...e.f.i.' "$FAKE/nvram/Boot0002"
	run "$PROGRAMS/acrn" --root "$ROOT" boot-once
	[ "$(cat "$FAKE/nvram/next")" = 0002 ]
	run update
	[ "$output" = "update-acrn: nothing to change" ]
	echo "efi 2" >"$ROOT/usr/lib/acrn/acrn.efi"
	update
	cmp "$acrn/previous/shimx64.efi" "$ROOT/usr/lib/shim/shim"
	grep -qF 'File(\EFI\acrn\previous\shimx64.efi)' "$FAKE/nvram/Boot0003"
	setting ACRN_SHIM=no
	update
	[ ! -e "$acrn/shimx64.efi" ] && [ ! -e "$acrn/previous/shimx64.efi" ]
	[ "$(grep -l 'acrn.*shimx64' "$FAKE"/nvram/Boot* | wc -l)" = 0 ]
	[ "$(grep -l 'EFI.acrn' "$FAKE"/nvram/Boot* | wc -l)" = 2 ]
	setting ACRN_SHIM=/usr/lib/shim/shim
	update
	update --remove
	[ ! -e "$acrn" ]
	[ "$(grep -l 'EFI.acrn' "$FAKE"/nvram/Boot* | wc -l)" = 0 ]
	setting ACRN_SHIM=/nowhere
	fails 'ACRN_SHIM=/nowhere, which is not there'
}

@test "shim is taken by itself under Secure Boot, where acrn.efi is signed and shim is installed" {
	local v=$ROOT/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c shim= program= root=$ROOT me=test
	. "$ACRN_LIB/boot.sh"
	mkdir -p "$ROOT/usr/lib/shim"
	: >"$ROOT/usr/lib/shim/shimx64.efi.signed"
	ACRN_SHIM=auto ACRN_SIGN_KEY=/key
	find_shim
	[ "$program" = acrn.efi ]
	printf '\006\0\0\0\001' >"$v"
	find_shim
	[ "$program" = shimx64.efi ]
	ACRN_SIGN_KEY=
	find_shim
	[ "$program" = acrn.efi ]
}

# --- the log of the last start -------------------------------------------------------------------------------------

@test "acrn log shows what acrn.efi has left, and later what the service has kept" {
	local v=$ROOT/sys/firmware/efi/efivars/AcrnLastLog-fa3f4204-b72a-4589-994f-6bbdf7d44284
	run "$PROGRAMS/acrn" --root "$ROOT" log --last
	[ "$status" = 1 ]
	[[ $output == *"there is no log of ACRN"* ]]
	run "$PROGRAMS/acrn" --root "$ROOT" log --save
	[ "$status" = 0 ]
	[ -z "$output" ]
	printf '\006\0\0\0It ended badly.\nthe reason\n' >"$v"
	run "$PROGRAMS/acrn" --root "$ROOT" log --last
	[ "$output" = $'It ended badly.\nthe reason' ]
	run "$PROGRAMS/acrn" --root "$ROOT" log --save
	[[ $output == "acrn: It ended badly. See"* ]]
	rm "$v"
	run "$PROGRAMS/acrn" --root "$ROOT" log --last
	[[ $output == "Of an earlier start, on "*$'It ended badly.\nthe reason' ]]
	run "$PROGRAMS/acrn" --root "$ROOT" log
	[ "$status" = 2 ]
}

# kept WRITTEN WANTED: memory as a run has left it, with a text of 16352 characters in its ring
kept() {
	mkdir -p "$ROOT/dev"
	{
		printf 'ACRN-LOG'
		for n in "$1" "$2"; do
			printf "\\x$(printf %x $((n & 255)))\\x$(printf %x $((n >> 8 & 255)))\\0\\0"
		done
		printf '%16s' ''
		cat
	} >"$BATS_TEST_TMPDIR/kept"
	dd if="$BATS_TEST_TMPDIR/kept" of="$ROOT/dev/mem" bs=4096 seek=65536 2>/dev/null
	truncate -s $((0x10004000)) "$ROOT/dev/mem"
}

@test "on a BIOS machine acrn log shows what is left in memory, once, a ring that has come round from its oldest line" {
	rm -r "$ROOT/sys/firmware/efi"
	printf 'one\ntwo\003\n' | kept 9 1
	run "$PROGRAMS/acrn" --root "$ROOT" log --last
	[ "$output" = $'The last run of the hypervisor ended badly. The end of its log:\none\ntwo.' ]
	{ printf 'last\nle\noldest\n'; head -c 16335 /dev/zero | tr '\0' x; printf '\nn'; } | kept $((16352 + 5)) 0
	run "$PROGRAMS/acrn" --root "$ROOT" log --last
	[ "${lines[0]}" = "The machine was reset while the hypervisor ran. The end of its log:" ]
	[ "${lines[1]}" = oldest ]
	[ "${lines[-1]}" = nlast ]
	run "$PROGRAMS/acrn" --root "$ROOT" log --save
	[[ $output == "acrn: The machine was reset"* ]]
	run "$PROGRAMS/acrn" --root "$ROOT" log --save
	[ -z "$output" ]
	run "$PROGRAMS/acrn" --root "$ROOT" log --last
	[[ $output == "Of an earlier start, on "*nlast ]]
}

@test "the entry that acrn.efi makes for itself is not taken for ours, and goes at removal" {
	update
	printf 'BootAC12* ACRN (log of the last run)\tHD(1,GPT,%s,0x800,0x50000)/File(\\EFI\\acrn\\acrn.efi)l.a.s.t\n' \
		"$PARTUUID" >"$FAKE/nvram/BootAC12"
	run update
	[ "$output" = "update-acrn: nothing to change" ]
	update --remove
	[ ! -e "$FAKE/nvram/BootAC12" ] && [ ! -e "$FAKE/nvram/Boot0002" ]
}

# --- GRUB's generator: 20_acrn with a library and a grub-probe of our own -----------------------------------------

generator() { # sets output; the probes named in $BROKEN fail
	local lib=$BATS_TEST_TMPDIR/grub
	mkdir -p "$lib" "$BATS_TEST_TMPDIR/boot/previous"
	cat >"$lib/grub-mkconfig_lib" <<-'TXT'
		prepare_grub_to_access_device() {
			echo "insmod part_gpt"
			[ -z "${BROKEN_ROOT:-}" ] || return 0
			echo "search --no-floppy --fs-uuid --set=root 1234"
		}
		make_system_path_relative_to_its_root() { [ "${1##*/}" != "${BROKEN_FILE:-}" ] && echo "/relative${1}"; }
	TXT
	printf '%s\n' '#!/bin/sh' '[ -z "$BROKEN_PROBE" ] || exit 1' \
		'case $1 in *fs_uuid) echo E2E0-$2 ;; *) echo /dev/vda2 ;; esac' >"$lib/grub-probe"
	chmod +x "$lib/grub-probe"
	for f in "" previous/; do
		printf 'kernel  = %s/vmlinuz\ninitrd  = %s/initrd\n' "$ROOT/boot" "$ROOT/boot" \
			>"$BATS_TEST_TMPDIR/boot/${f}acrn.conf"
		echo elf >"$BATS_TEST_TMPDIR/boot/${f}acrn.elf"
	done
	: >"$ROOT/boot/vmlinuz"
	: >"$ROOT/boot/initrd"
	local script=$TOP/scripts/install/20_acrn
	[ -z "${ACRN_PROGRAMS:-}" ] || script=/etc/grub.d/20_acrn
	run env "$@" PATH="$lib:$PATH" pkgdatadir="$lib" ACRN_BOOT="$BATS_TEST_TMPDIR/boot" sh "$script"
	echo "$output"
	[ "$status" = 0 ]
	# no half entries, whatever happened
	[ "$(grep -c '^menuentry' <<<"$output")" = "$(grep -c '^}' <<<"$output")" ]
}

@test "GRUB's menu gets an entry for the hypervisor and one for the previous one" {
	generator A=
	[ "$(grep -c '^menuentry' <<<"$output")" = 2 ]
	[ "$(grep -c "^	*module2 /relative$ROOT/boot/initrd initrd\$" <<<"$output")" = 2 ]
	grep -q -- '--set=root 1234' <<<"$output"
}

@test "GRUB tells acrn.elf where its log belongs, keeps it, and comes back if nothing starts" {
	generator A=
	grep -qx "	multiboot2 /relative$BATS_TEST_TMPDIR/boot/acrn.elf log=0x10000000" <<<"$output"
	grep -q 'cutmem 0x10000000 0x10004000' <<<"$output"
	grep -qx '	configfile $prefix/grub.cfg' <<<"$output"
	! command -v grub-script-check || grub-script-check <<<"$output" || false
}

@test "a failing grub-probe leaves a menu without our entries, not with half of one" {
	generator BROKEN_PROBE=1
	! grep '^menuentry' <<<"$output" || false
	grep 'grub-probe does not know the device' <<<"$output"
	generator BROKEN_ROOT=1
	! grep '^menuentry' <<<"$output" || false
	grep 'cannot find the volume' <<<"$output"
	generator BROKEN_FILE=initrd
	! grep '^menuentry' <<<"$output" || false
	grep 'initrd lies on its volume' <<<"$output"
}

# --- words ---------------------------------------------------------------------------------------------------------

@test "what --help names stands in the manual, and the completion offers it" {
	local program word
	for program in acrn update-acrn; do
		for word in $("$PROGRAMS/$program" --help | grep -oE '^  (--)?[a-z][a-z-]*|--[a-z]+(-[a-z]+)*' | sort -u); do
			case $word in --save | --root | --version | --help) continue ;; esac
			sed 's/\\-/-/g' "$TOP/scripts/install/man/$program.8" | grep -qF -- "$word" ||
				{ echo "$program: $word"; false; }
		done
	done
	. "$TOP/scripts/install/completion"
	PATH=$PROGRAMS:$PATH COMP_WORDS=(acrn b) COMP_CWORD=1
	_acrn_words acrn
	[ "${COMPREPLY[*]}" = boot-once ]
}

# words TEXT: the options in it, one a line
words() { grep -oE '(^|[^A-Za-z0-9_-])--?[A-Za-z][A-Za-z0-9_-]*' | grep -oE -- '--?[A-Za-z].*' | LC_ALL=C sort -u; }

# manual FILE: as plain text
manual() { sed 's/\\f.//g; s/\\-/-/g' "$1"; }

@test "help, manual and completion of acrn-dm, acrnd and acrnctl name the same words" {
	local dm=$BUILD/acrn-dm word
	[ -z "${ACRN_PROGRAMS:-}" ] || dm=/usr/bin
	[ -x "$dm/acrn-dm" ] || make -s -C "$TOP" acrn-dm
	PATH=$dm:$PATH
	cd "$BATS_TEST_TMPDIR"
	acrn-dm --help 2>&1 | sed '/^Drivers of -s/,$d' | words >help
	manual "$TOP/acrn-dm/acrn-dm.8" | sed -n '/^\.SH OPTIONS/,/^\.SH FILES/p' | words >manual
	[ "$(wc -l <help)" -gt 40 ]
	diff help manual
	acrnd --help | words >help
	manual "$TOP/acrn-dm/ctl/acrnd.8" | sed -n '/^\.SH OPTIONS/,/^\.SH FILES/p' | words >manual
	diff help manual
	acrnctl --help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p' | sort >help
	acrnctl --manual | sed -n 's/^\.BI "\([a-z]*\) .*/\1/p' | sort >manual
	[ "$(wc -l <help)" -ge 9 ]
	diff help manual

	. "$TOP/acrn-dm/completion"
	COMP_WORDS=(acrnctl blk) COMP_CWORD=1
	_acrnctl
	[ "${COMPREPLY[*]}" = blkrescan ]
	COMP_WORDS=(acrn-dm --mem) COMP_CWORD=1
	_acrn_options acrn-dm
	[ "${COMPREPLY[*]}" = --memsize ]
	COMP_WORDS=(acrn-dm -s 3,virtio-bl) COMP_CWORD=2
	_acrn_options acrn-dm
	[ "${COMPREPLY[*]}" = 3,virtio-blk ]
	COMP_WORDS=(acrnd --ver) COMP_CWORD=1
	_acrn_options acrnd
	[ "${COMPREPLY[*]}" = --version ]
}

@test "the examples are good but for the files of the VM" {
	local dm=$BUILD/acrn-dm
	[ -z "${ACRN_PROGRAMS:-}" ] || dm=/usr/bin
	for example in linux uefi; do
		run "$dm/acrn-dm" --config "$TOP/acrn-dm/examples/$example.conf" vm1
		echo "$output"
		[ "$status" = 1 ]
		[[ $output == *"cannot open /var/lib/acrn/"* ]]
		[ "${#lines[@]}" = 1 ]
	done
}
