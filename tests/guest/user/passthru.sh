# SPDX-License-Identifier: BSD-3-Clause
# In a User VM that was given the machine's network card, and perhaps its edu device: the card works, by messages; the
# edu device reaches this VM's memory and no other's. Words on the command line: acrn.disk (an NVMe disk, whose first 4
# MiB have that sum), acrn.rom (the sum of the card's ROM), acrn.life (the guest restarts once while they work, as a
# disk remembers, and has them again), acrn.attack (addresses, by commas), acrn.more (device memory that begins with
# that word, a keyboard at an xHCI controller, an old network card), acrn.talk (all work until it is killed).
. /payload/lib.sh
word() { sed -n "s/.*acrn.$1=\([^ ]*\).*/\1/p" /proc/cmdline; }

card_works() {
	modprobe e1000e || return 1
	until_true 20 test -e /sys/class/net/eth0 || return 1
	ip link set eth0 up
	cat >/tmp/lease <<-'TXT'
		#!/bin/sh
		[ "$1" != bound ] || ip addr add "$ip/24" dev eth0
	TXT
	chmod 755 /tmp/lease
	udhcpc -i eth0 -n -q -t 20 -T 2 -s /tmp/lease && answers 10.0.2.2
}
messages() { grep -c 'PCI-MSI.*eth0' /proc/interrupts; }
came() { awk '/eth0/ {for (i = 2; i <= NF && $i ~ /^[0-9]+$/; i++) n += $i} END {print n + 0}' /proc/interrupts; }

check card-works card_works
check card-has-several-messages test "$(messages)" -ge 2
check card-interrupts test "$(came)" -gt 3
grep -E 'CPU|eth0' /proc/interrupts

[ -z "$(word rom)" ] || equal expansion-rom-is-the-cards "$(rom_of /sys/class/net/eth0/device)" "$(word rom)"
# reads for ever, and an edu device that writes for ever
keep_devices_busy() {
	while :; do cat /dev/nvme0n1; done >/dev/null &
	dma flood >/tmp/flood 2>&1 &
	until_true 30 grep -q '^flooding' /tmp/flood && cat /tmp/flood
}
if [ -n "$(word disk)$(word talk)" ]; then
	modprobe nvme
	check nvme-is-there until_true 30 test -b /dev/nvme0n1
fi
if [ -n "$(word life)" ] && [ "$(head -c 1 /dev/vda)" != 1 ]; then
	keep_devices_busy
	echo 1 | dd of=/dev/vda conv=fsync 2>/dev/null
	echo "first life"
	reboot -f
fi
[ -z "$(word life)" ] || echo "second life"
if [ -n "$(word disk)" ]; then
	equal nvme-reads "$(dd if=/dev/nvme0n1 bs=64k count=64 2>/dev/null | md5sum | cut -d' ' -f1)" "$(word disk)"
	check nvme-writes sh -c 'echo "a word for the disk" | dd of=/dev/nvme0n1 bs=512 seek=9000 conv=fsync'
	check nvme-interrupts grep -q 'PCI-MSI.*nvme0q' /proc/interrupts
fi
if [ -n "$(word attack)" ]; then
	# shellcheck disable=SC2046
	dma $(word attack | tr , ' ') >/tmp/attack 2>&1
	equal attack-gets-nothing $? 0
	cat /tmp/attack
	check edu-reaches-its-own-memory grep -q '^edu is' /tmp/attack
	check attack-was-made grep -q '^attacked' /tmp/attack
	# as exceptions, as devices of the Service VM's, as the hypervisor's own
	check forged-messages-are-sent sh -c 'dma message 0x10 0x1f && dma message 0x60 0x67 && dma message 0xf0 0xff'
	check card-works-after-the-attack answers 10.0.2.2
fi
if [ -n "$(word more)" ]; then
	equal device-memory-is-mapped "$(busybox devmem 0xf0000000 32)" "$(word more)"
	busybox devmem 0xf0000004 32 0x12345678
	equal device-memory-answers "$(busybox devmem 0xf0000004 32)" 0xEDCBA987
	modprobe xhci_pci
	modprobe hid_generic
	modprobe usbhid
	check usb-keyboard until_true 30 grep -q 'USB Keyboard' /proc/bus/input/devices
	modprobe e1000
	check old-card-is-there until_true 20 test -e /sys/class/net/eth1
	ip link set eth1 up
	ip addr add 10.0.3.15/24 dev eth1
	check old-card-works-by-its-line answers 10.0.3.2
	check old-card-has-no-messages grep -q 'IO-APIC.*eth1' /proc/interrupts
	modprobe igbvf
	check virtual-function-is-there until_true 20 test -e /sys/class/net/eth2
	ip link set eth2 up
	ip addr add 10.0.4.15/24 dev eth2
	check virtual-function-works answers 10.0.4.2
	check virtual-function-has-messages grep -q 'PCI-MSI.*eth2' /proc/interrupts
	cat /proc/interrupts
fi
if [ -n "$(word talk)" ]; then
	keep_devices_busy
	ping -i 0.1 10.0.2.2 >/dev/null
fi
finish
