#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# Debian as installed, in a User VM whose disk, network card and USB controller are the machine's own, above AMD's IOMMU and
# above Intel's. Long: part of make check-iommu.
load helper

IOMMUS=${ACRN_IOMMUS:-amd,intel}

debian_boot() { # NAME KIND
	local t=$BATS_FILE_TMPDIR/$1 guest fwd=guestfwd=tcp:10.0.3.100
	guest=$("$DEV/mkguest")
	cp --sparse=always "$guest/disk.img" "$t.root"
	head -c 16M /dev/urandom >"$t.gib"
	truncate -s 1G "$t.gib"
	head -c 16M /dev/urandom | dd of="$t.gib" bs=1M seek=1008 conv=notrunc status=none
	head -c 32M /dev/urandom >"$t.net"
	head -c 8M /dev/urandom >"$t.usb"
	# shellcheck disable=SC2046
	set -- "$@" $(md5sum "$t.gib" "$t.net" "$t.usb" | cut -d' ' -f1)
	monitor_when "$1" press-2-keys 'sendkey a
sendkey b'
	boot "$1" --iommu "$2" --smp 2 --mem 3G --timeout 2400 --run "$TOP/tests/guest/service/passthru_debian.sh" \
		--prog "$BUILD/acrn-dm/acrnctl" --append "acrn.sums=$3,$4,$5" \
		--file /usr/share/OVMF/OVMF_CODE_4M.fd:boot/firmware/code.fd \
		--file /usr/share/OVMF/OVMF_VARS_4M.fd:boot/firmware/vars.fd \
		-- -device e1000e,addr=0x11,netdev=n1 \
		-netdev "user,id=n1,net=10.0.3.0/24,$fwd:80-cmd:cat $guest/hello.deb,$fwd:81-cmd:cat $t.net" \
		-drive "if=none,id=root,format=raw,file=$t.root" -drive "if=none,id=gib,format=raw,file=$t.gib,readonly=on" \
		-device nvme,addr=0x12,id=nvme,serial=1 -device nvme-ns,bus=nvme,nsid=1,drive=root \
		-device nvme-ns,bus=nvme,nsid=2,drive=gib \
		-drive "if=none,id=stick,format=raw,file=$t.usb" -device qemu-xhci,addr=0x13,id=usb \
		-device usb-kbd,bus=usb.0 -device usb-storage,bus=usb.0,drive=stick "${MONITOR[@]}"
	kill "$MONITOR_PID" 2>/dev/null || true
	rm -f "$t".* "$BATS_FILE_TMPDIR"/monitor.*
}

setup_file() {
	local kind
	for kind in ${IOMMUS//,/ }; do
		debian_boot "passthru_debian_$kind" "$kind"
	done
}
setup() {
	case $BATS_TEST_DESCRIPTION in
	AMD*) [[ $IOMMUS == *amd* ]] || skip "make check-iommu runs it" ;;
	Intel*) [[ $IOMMUS == *intel* ]] || skip "make check-iommu runs it" ;;
	esac
}

all_pass() { # NAME CHECK...
	local name=$1 check
	shift
	for check in "$@"; do
		passes "$name" "$check"
	done
}
boots() { all_pass "$1" devices-are-taken debian-boots-from-its-own-disk its-root-is-on-the-nvme-disk; }
works() {
	all_pass "$1" a-package-comes-by-the-network-card it-installs-the-package the-card-brings-32-MiB \
		it-reads-a-gigabyte-from-the-disk disk-and-card-interrupt-by-messages
}
usb() { all_pass "$1" it-reads-the-usb-disk a-key-of-the-usb-keyboard-comes; }
reboots() { all_pass "$1" it-reboots-to-its-login it-kept-the-package it-powers-off; }
comes_back() {
	all_pass "$1" devices-come-back disk-is-here-again what-the-guest-wrote-is-on-it card-is-here-again \
		card-works-here module-unloads kernel-log-is-clean
}

@test "AMD's IOMMU: firmware and Debian boot from an NVMe disk that the VM was given" { boots passthru_debian_amd; }
@test "AMD's IOMMU: a package comes by an e1000e, is installed; a gigabyte of the disk" { works passthru_debian_amd; }
@test "AMD's IOMMU: a USB disk is read, a key of a USB keyboard comes" { usb passthru_debian_amd; }
@test "AMD's IOMMU: Debian reboots, has its package still, powers off" { reboots passthru_debian_amd; }
@test "AMD's IOMMU: the Service VM uses disk and card again" { comes_back passthru_debian_amd; }

@test "Intel's IOMMU: firmware and Debian boot from an NVMe disk that the VM was given" { boots passthru_debian_intel; }
@test "Intel's IOMMU: a package comes by an e1000e, is installed; a gigabyte of the disk" { works passthru_debian_intel; }
@test "Intel's IOMMU: a USB disk is read, a key of a USB keyboard comes" { usb passthru_debian_intel; }
@test "Intel's IOMMU: Debian reboots, has its package still, powers off" { reboots passthru_debian_intel; }
@test "Intel's IOMMU: the Service VM uses disk and card again" { comes_back passthru_debian_intel; }
