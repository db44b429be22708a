#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# Devices of the machine in User VMs, above AMD's IOMMU and above Intel's: network cards, a disk, a USB controller that
# Debian's kernel drives, and an edu device that the guest attacks with.
load helper

passthru_boot() { # NAME KIND
	local disk=$BATS_FILE_TMPDIR/$1.disk
	head -c 4M /dev/urandom >"$disk"
	truncate -s 8M "$disk"
	boot "$1" --iommu "$2" --smp 2 --mem 2G --timeout 1200 --prog "$BUILD/guest/dma:usr/bin/dma" \
		--prog "$BUILD/guest/dead_dma:usr/bin/dead_dma" --prog "$BUILD/guest/mmiodev:usr/bin/mmiodev" \
		--prog "$BUILD/acrn-dm/acrnctl" --run "$TOP/tests/guest/service/passthru.sh" \
		--append "acrn.sum=$(head -c 4M "$disk" | md5sum | cut -d' ' -f1)" \
		-- -device edu,addr=0x10,dma_mask=0xffffffffffffffff \
		-device e1000,addr=0x11,netdev=n1 -netdev user,id=n1,net=10.0.3.0/24 \
		-drive "if=none,id=d1,format=raw,file=$disk" -device nvme,addr=0x12,drive=d1,serial=1 \
		-device qemu-xhci,addr=0x13,id=usb -device usb-kbd,bus=usb.0 \
		-device pcie-root-port,id=rp1,addr=0x14,chassis=1,slot=1,mem-reserve=2M,pref64-reserve=2M \
		-device igb,bus=rp1,netdev=n4 -netdev user,id=n4,net=10.0.4.0/24
}

# make check-iommu names both; make check has one, for a boot takes minutes
IOMMUS=${ACRN_IOMMUS:-amd}

setup_file() {
	local kind
	for kind in ${IOMMUS//,/ }; do
		passthru_boot "passthru_$kind" "$kind"
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
refusals() {
	all_pass "$1" card-works-here-first a-driver-keeps-its-device no-such-device a-bridge-stays no-reset-no-device \
		a-group-is-not-split what-was-not-taken-cannot-return list-shows-the-driver card-is-taken card-is-gone-here \
		list-shows-it-taken edu-is-taken list-shows-a-vm-has-it what-a-vm-has-cannot-return nobody-else-gets-it
}
guest_has_the_card() {
	all_pass "$1" guest-with-card-ends-with-0 user-card-works user-card-has-several-messages user-card-interrupts \
		user-expansion-rom-is-the-cards
}
restart() { all_pass "$1" card-works-after-a-restart both-lives-passed user-nvme-is-there user-nvme-reads user-nvme-writes; }
attack() {
	all_pass "$1" user-edu-reaches-its-own-memory user-attack-was-made user-attack-gets-nothing \
		user-card-works-after-the-attack nothing-here-changed hypervisor-still-answers
	says "$1" 'iommu: 00:10.0 was refused'
}
forge() { all_pass "$1" user-forged-messages-are-sent user-card-works-after-the-attack hypervisor-still-answers; }
device_memory() {
	all_pass "$1" device-memory-comes-and-goes user-device-memory-is-mapped user-device-memory-answers \
		device-memory-is-not-here device-memory-is-here-again
}
more() {
	all_pass "$1" more-are-taken guest-with-more-ends-with-0 user-nvme-interrupts user-usb-keyboard \
		user-old-card-is-there user-old-card-works-by-its-line \
		user-old-card-has-no-messages more-come-back
	grep -qaF 'a word for the disk' "$BATS_FILE_TMPDIR/$1.disk"
}
virtual() {
	all_pass "$1" virtual-function-is-made virtual-function-is-taken user-virtual-function-is-there \
		user-virtual-function-works user-virtual-function-has-messages virtual-function-comes-back \
		virtual-function-goes
}
killed() {
	all_pass "$1" guest-talks killed card-comes-back card-works-here-after-a-kill more-come-back \
		disk-works-here-after-a-kill
}
dead() { all_pass "$1" a-dead-vms-device-writes-nowhere nothing-here-changed-by-a-dead-vm; }
cycles() { all_pass "$1" all-cycles-ran card-works-here-after-all module-unloads kernel-log-is-clean; }

@test "AMD's IOMMU: what cannot be given away is refused, with the reason" { refusals passthru_amd; }
@test "AMD's IOMMU: Debian's kernel in a User VM drives an e1000e by MSI-X" { guest_has_the_card passthru_amd; }
@test "AMD's IOMMU: the guest restarts in mid-transfer: its devices are reset and work" { restart passthru_amd; }
@test "AMD's IOMMU: a guest's device reaches its own memory and no other" { attack passthru_amd; }
@test "AMD's IOMMU: messages that a guest's device forges harm nobody" { forge passthru_amd; }
@test "AMD's IOMMU: device memory outside PCI is given and comes back" { device_memory passthru_amd; }
@test "AMD's IOMMU: an NVMe disk, a USB keyboard, a network card that has only a line" { more passthru_amd; }
@test "AMD's IOMMU: a virtual function (SR-IOV) of a card that the Service VM drives" { virtual passthru_amd; }
@test "AMD's IOMMU: kill -9 of acrn-dm gives the device back" { killed passthru_amd; }
@test "AMD's IOMMU: memory of a dead VM is not written by its former device" { dead passthru_amd; }
@test "AMD's IOMMU: twenty times to a User VM and back" { cycles passthru_amd; }

@test "Intel's IOMMU: what cannot be given away is refused, with the reason" { refusals passthru_intel; }
@test "Intel's IOMMU: Debian's kernel in a User VM drives an e1000e by MSI-X" { guest_has_the_card passthru_intel; }
@test "Intel's IOMMU: the guest restarts in mid-transfer: its devices are reset and work" { restart passthru_intel; }
@test "Intel's IOMMU: a guest's device reaches its own memory and no other" { attack passthru_intel; }
@test "Intel's IOMMU: messages that a guest's device forges harm nobody" { forge passthru_intel; }
@test "Intel's IOMMU: device memory outside PCI is given and comes back" { device_memory passthru_intel; }
@test "Intel's IOMMU: an NVMe disk, a USB keyboard, a network card that has only a line" { more passthru_intel; }
@test "Intel's IOMMU: a virtual function (SR-IOV) of a card that the Service VM drives" { virtual passthru_intel; }
@test "Intel's IOMMU: kill -9 of acrn-dm gives the device back" { killed passthru_intel; }
@test "Intel's IOMMU: memory of a dead VM is not written by its former device" { dead passthru_intel; }
@test "Intel's IOMMU: twenty times to a User VM and back" { cycles passthru_intel; }
