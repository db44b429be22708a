#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# A driver that attacks with its device, on AMD's IOMMU and on Intel's: what the device reads and writes is the machine's
# memory as QEMU sees it, saved when the attack is over. Without an IOMMU: grub.bats.
load helper

MARK=DMA-HAS-BEEN-HERE

attacked_boot() { # NAME KIND REGISTERS
	local memory=$BATS_FILE_TMPDIR/$1.mem
	monitor_when "$1" 'look at memory, please' "pmemsave 0 0x20000000 \"$memory\"
nmi"
	boot "$1" --iommu "$2" --smp 2 --mem 512M --timeout 400 --prog "$BUILD/guest/dma:usr/bin/dma" \
		--run "$TOP/tests/guest/service/iommu.sh" --append "acrn.iommu=$3 acrn.forge=$4" \
		-- -device edu,addr=0x10,dma_mask=0xffffffffffffffff "${MONITOR[@]}"
	kill "$MONITOR_PID" 2>/dev/null || true
	rm -f "$BATS_FILE_TMPDIR"/monitor.*
}

# as mended by scripts/dev/setup, which leaves a word
refuses_old_format() { (. "$TOP/scripts/dev/env" && [ -s "$ACRN_EMU/.mended-old-format" ]); }

setup_file() {
	attacked_boot iommu_amd amd 0xfed80000 yes
	attacked_boot iommu_intel intel 0xfed90000 "$(refuses_old_format && echo yes || echo no)"
}

# what every machine with an IOMMU must show
devices_work() {
	passes "$1" network-answers
	passes "$1" network-still-answers
	passes "$1" hypervisor-still-answers
	says "$1" "^TEST-EXIT 0"
}
registers_are_closed() {
	passes "$1" iommu-tables-are-hidden
	passes "$1" no-iommu-function-is-seen
	passes "$1" registers-read-as-nothing
}
reads_get_nothing() {
	passes "$1" the-device-copies-our-own-memory
	passes "$1" hypervisor-memory-was-attacked
	passes "$1" a-device-reads-nothing-of-the-hypervisor
	passes "$1" a-device-reads-nothing-elsewhere
}
# the mark is somewhere (the driver's own page), and not where it was not to be
writes_get_nowhere() {
	local memory=$BATS_FILE_TMPDIR/$1.mem at n=0
	passes "$1" memory-was-looked-at
	grep -qaF "$MARK" "$memory"
	while read -r at; do
		if dd if="$memory" bs=64 skip=$((at / 64)) count=1 status=none | grep -qaF "$MARK"; then
			echo "the device wrote at $at"
			return 1
		fi
		n=$((n + 1))
	done < <(tr -d '\r' <"$LOGS/$1.log" | sed -n 's/^attacked \(0x[0-9a-f]*\): .*/\1/p' | head -n -2)
	[ "$n" -ge 10 ]
}
# the first address of the hypervisor, and the one where nothing is
refusals_are_told() {
	local at
	at=$(tr -d '\r' <"$LOGS/$1.log" | sed -n 's/^attacked \(0x[0-9a-f]*\)[0-9a-f]\{3\}: .*/\1/p' | head -n 1)
	says "$1" "iommu: 00:10.0 was refused address ${at}[0-9a-f]{3}: "
	says "$1" "iommu: 00:10.0 was refused address 0x10000000000: "
}

@test "AMD's IOMMU: devices of the Service VM work" { devices_work iommu_amd; }
@test "AMD's IOMMU: neither tables nor registers nor function are the Service VM's" { registers_are_closed iommu_amd; }
@test "AMD's IOMMU: a device reads nothing of the hypervisor" { reads_get_nothing iommu_amd; }
@test "AMD's IOMMU: a device writes nowhere in the hypervisor" { writes_get_nowhere iommu_amd; }
@test "a device's interrupts with vectors of exceptions, or of the hypervisor's own, do nothing" {
	for boot in iommu_amd iommu_intel; do
		passes $boot interrupts-are-sent
		passes $boot interrupts-of-the-hypervisor-are-sent
		passes $boot hypervisor-still-answers
	done
}
# The edu device sends them by DMA; QEMU takes those for the I/O APIC's (AMD), or for nobody's (Intel).
nothing_forged_arrives() {
	passes "$1" forged-messages-are-sent
	passes "$1" a-forged-nmi-is-sent
	passes "$1" a-forged-init-is-sent
	passes "$1" no-forged-message-arrives
	passes "$1" no-forged-nmi-arrives
}
@test "AMD's IOMMU: a device's interrupts that nobody gave it do not arrive" { nothing_forged_arrives iommu_amd; }
@test "Intel's IOMMU: a device's interrupts that nobody gave it do not arrive, and are in the log" {
	refuses_old_format || skip "this QEMU lets interrupts of the old format pass"
	nothing_forged_arrives iommu_intel
	says iommu_intel "was refused interrupt 0x0: "
}
# QEMU 11 leaves the address out of AMD's events
@test "AMD's IOMMU: what was refused is in the log, with the device" {
	says iommu_amd "iommu: 00:10.0 was refused address 0x0: "
}

@test "Intel's IOMMU: devices of the Service VM work" { devices_work iommu_intel; }
@test "Intel's IOMMU: neither tables nor registers are the Service VM's" { registers_are_closed iommu_intel; }
@test "Intel's IOMMU: a device reads nothing of the hypervisor" { reads_get_nothing iommu_intel; }
@test "Intel's IOMMU: a device writes nowhere in the hypervisor" { writes_get_nowhere iommu_intel; }
@test "Intel's IOMMU: what was refused is in the log, with device and address" { refusals_are_told iommu_intel; }
