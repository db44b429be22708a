#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# Secure Boot, with keys of the firmware's own that Debian's ovmf package brings for tests. One boot over five volumes, as in
# efi_stub.bats: each but the last must be refused, by the firmware or by acrn.efi.
load helper

KEYS=/usr/share/ovmf/PkKek-1-snakeoil

# volume NAME ACRN.EFI [KERNEL]
volume() {
	index=$((index + 1))
	"$DEV/mkdisk" esp "$work/$1.img" "$2:EFI/BOOT/BOOTX64.EFI" "${@:3}"
	drives+=(-drive "if=none,id=d$index,format=raw,file=$work/$1.img"
		-device "virtio-blk-pci,drive=d$index,bootindex=$index")
}

setup_file() {
	local index=0 drives=() work=$BATS_FILE_TMPDIR kernel unsigned root= me=test
	ACRN_CACHE=${ACRN_CACHE:-$HOME/.cache/acrn}
	. "$TOP/scripts/install/boot.sh"
	openssl rsa -in $KEYS.key -passin pass:snakeoil -out "$work/key" 2>/dev/null
	ACRN_SIGN_KEY=$work/key ACRN_SIGN_CERT=$KEYS.pem
	"$DEV/mkimages"
	unsigned=$(ls "$ACRN_CACHE"/kernel/boot/vmlinuz-*)
	kernel=$work/vmlinuz
	cp "$unsigned" "$kernel"
	efi_sign "$kernel"
	cat >"$work/acrn.conf" <<-'TXT'
		[hypervisor]
		console = serial 0x3f8 115200
		[service-vm]
		kernel  = vmlinuz
		initrd  = initrd.img
		cmdline = console=ttyS1,115200 panic=-1 quiet no_timer_check
	TXT
	conf=$work/acrn.conf:EFI/BOOT/acrn.conf

	# signed, then one bit of the hypervisor in it turned over
	efi_add "$BUILD/efi/acrn.efi" "$work/flipped.efi" .conf="$work/acrn.conf"
	efi_sign "$work/flipped.efi"
	printf '\001' | dd of="$work/flipped.efi" bs=1 seek=100000 conv=notrunc status=none
	volume flipped "$work/flipped.efi" "$kernel:EFI/BOOT/vmlinuz" "$conf"
	# not signed at all
	volume unsigned "$BUILD/efi/acrn.efi" "$kernel:EFI/BOOT/vmlinuz" "$conf"
	# signed, but acrn.conf is only a file beside it
	cp "$BUILD/efi/acrn.efi" "$work/signed.efi"
	efi_sign "$work/signed.efi"
	volume noconf "$work/signed.efi" "$kernel:EFI/BOOT/vmlinuz" "$conf"
	# signed with acrn.conf; the kernel is not signed by a key that this firmware has
	efi_add "$BUILD/efi/acrn.efi" "$work/conf.efi" .conf="$work/acrn.conf"
	efi_sign "$work/conf.efi"
	volume badkernel "$work/conf.efi" "$unsigned:EFI/BOOT/vmlinuz"
	# all in one file
	efi_add "$BUILD/efi/acrn.efi" "$work/unified.efi" .conf="$work/acrn.conf" .linux="$unsigned" \
		.initrd="$BUILD/images/service.img"
	efi_sign "$work/unified.efi"
	volume unified "$work/unified.efi"

	truncate -s 1M "$work/none.img"
	boot secure_boot --boot "$work/none.img" --vars /usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd --mem 1G --smp 2 --timeout 400 \
		--expect "Service VM: 6\\.1\\." -- "${drives[@]}"
	rm -f "$work"/*.img
}

@test "acrn.efi says to shim which generation it is" {
	objcopy -O binary -j .sbat "$BUILD/efi/acrn.efi" "$BATS_TEST_TMPDIR/sbat"
	[ "$(head -n 1 "$BATS_TEST_TMPDIR/sbat" | cut -d, -f1-5)" = "sbat,1,SBAT Version,sbat,1" ]
	[ "$(sed -n 2p "$BATS_TEST_TMPDIR/sbat" | cut -d, -f1-4)" = "acrn,1,ACRN made anew,acrn" ]
}
@test "the firmware starts neither an acrn.efi with a flipped bit nor one without a signature" {
	# of five programs three came to their first line
	[ "$(grep -ac 'ACRN stub: ACRN [0-9]' "$LOGS/secure_boot.log.hv")" = 3 ] || { last_lines secure_boot; false; }
}
@test "acrn.conf beside a signed acrn.efi is not taken" {
	says secure_boot 'Secure Boot is on, and there is no acrn.conf in the signed acrn.efi'
}
@test "a kernel that is not signed is not started" {
	says secure_boot 'Secure Boot is on, and the kernel vmlinuz is not signed by a key it knows'
}
@test "a unified, signed image boots its Service VM" { says secure_boot 'Service VM: 6\.1\.'; }
