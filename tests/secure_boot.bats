#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# Secure Boot, with keys of the firmware's own that Debian's ovmf package brings for tests. One boot over five volumes, as in
# efi_stub.bats: each but the last must be refused, by the firmware or by acrn.efi. And one boot through shim.
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
	shim_boot
}

# As on a PC that came with Microsoft's keys: shim is signed by them, acrn.efi by a key that its owner has enrolled (MOK; here
# put into the variables), the kernel by Debian, whose key is in shim. One volume has to be refused by acrn.efi, and in a
# boot of its own, since shim then waits for a key to be pressed, one by shim.
shim_boot() {
	local guid=605dab50-e046-4300-abb6-3dd810dd8b23 shim=$ACRN_CACHE/shimx64.efi
	index=0 drives=()
	truncate -s 1M "$work/none.img"
	openssl req -new -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=owner of this machine/" -keyout "$work/mok.key" \
		-out "$work/mok.pem" 2>/dev/null
	openssl x509 -in "$work/mok.pem" -outform DER -out "$work/mok.der"
	size=$(stat -c %s "$work/mok.der")
	{
		# EFI_SIGNATURE_LIST: X.509, its size, no header, size of the one signature with its owner
		printf '\xa1\x59\xc0\xa5\xe4\x94\xa7\x4a\x87\xb5\xab\x15\x5c\x2b\xf0\x72'
		for n in $((size + 44)) 0 $((size + 16)); do
			printf "\\x$(printf %x $((n & 255)))\\x$(printf %x $((n >> 8 & 255)))\\x0\\x0"
		done
		printf '\x50\xab\x5d\x60\x46\xe0\x00\x43\xab\xb6\x3d\xd8\x10\xdd\x8b\x23'
		cat "$work/mok.der"
	} >"$work/moklist"
	gcc -Wall -Wextra -Werror -o "$work/efi_variable" "$TOP/tests/efi_variable.c"
	cp /usr/share/OVMF/OVMF_VARS_4M.ms.fd "$work/mok.fd"
	"$work/efi_variable" "$work/mok.fd" $guid MokList 3 <"$work/moklist"

	# the kernel's signature no longer fits
	cp "$unsigned" "$work/flipped"
	printf '\001' | dd of="$work/flipped" bs=1 seek=1000000 conv=notrunc status=none
	efi_add "$BUILD/efi/acrn.efi" "$work/mok.efi" .conf="$work/acrn.conf"
	ACRN_SIGN_KEY=$work/mok.key ACRN_SIGN_CERT=$work/mok.pem
	efi_sign "$work/mok.efi"
	volume flippedkernel "$shim" "$work/mok.efi:EFI/BOOT/grubx64.efi" "$work/flipped:EFI/BOOT/vmlinuz"
	volume good "$shim" "$work/mok.efi:EFI/BOOT/grubx64.efi" "$unsigned:EFI/BOOT/vmlinuz" \
		"$BUILD/images/service.img:EFI/BOOT/initrd.img"
	boot shim --boot "$work/none.img" --vars "$work/mok.fd" --mem 1G --smp 2 --timeout 400 \
		--expect "Service VM: 6\\.1\\." -- "${drives[@]}"

	index=0 drives=()
	# a key that nobody has enrolled (it is the one of the other boot)
	volume stranger "$shim" "$work/conf.efi:EFI/BOOT/grubx64.efi" "$unsigned:EFI/BOOT/vmlinuz"
	boot shim_stranger --boot "$work/none.img" --vars "$work/mok.fd" --mem 512M --smp 1 --timeout 120 \
		--expect 'Verification failed: .0x1A. Security Violation' -- "${drives[@]}"
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
@test "shim does not start an acrn.efi whose key nobody has enrolled" {
	says shim_stranger 'Verification failed: .0x1A. Security Violation'
	never_says shim_stranger 'ACRN stub: ACRN [0-9]'
}
@test "a kernel that shim does not accept is not started" {
	says shim 'Secure Boot is on, and the kernel vmlinuz is not signed by a key it knows'
}
@test "through shim, with the owner's key, Debian's own kernel boots as Service VM" { says shim 'Service VM: 6\.1\.'; }
