# SPDX-License-Identifier: BSD-3-Clause
# A driver in the Service VM attacks with its device (dma.c): the hypervisor's memory, memory that is not there, the IOMMU's
# own registers. Run by iommu.bats, which looks into the machine's memory when it is asked to, and sends an NMI when it has.
. /payload/guest/lib.sh
registers=$(sed -n 's/.*acrn.iommu=\([0-9a-fx]*\).*/\1/p' /proc/cmdline)

echo "=== devices work"
modprobe e1000e
check network-card-is-there until_true 20 ip link show eth0
ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0
check network-answers answers 10.0.2.2

echo "=== the IOMMU is not ours"
check iommu-tables-are-hidden sh -c '! ls /sys/firmware/acpi/tables | grep -E "DMAR|IVRS"'
check no-iommu-function-is-seen sh -c '! grep -il 0x0806 /sys/bus/pci/devices/*/class'
for at in 0 0x18 0x20; do
	probe mem $((registers + at)) 0 >/dev/null
done
equal registers-read-as-nothing "$(probe mem $((registers + 0x18)))" 0xffffffffffffffff

echo "=== the device attacks"
for f in /sys/firmware/memmap/*; do
	start=$(cat "$f/start") end=$(cat "$f/end")
	[ "$(cat "$f/type")" = Reserved ] && [ $((end)) -lt $((0x20000000)) ] || continue
	dma range "$start" $((end + 1)) 0x100000 || echo "dma gave $? for $start"
done >/tmp/attack 2>&1
cat /tmp/attack
check the-device-copies-our-own-memory grep -q '^edu is' /tmp/attack
check hypervisor-memory-was-attacked test "$(grep -c '^attacked' /tmp/attack)" -ge 10
check a-device-reads-nothing-of-the-hypervisor sh -c '! grep -E "GOT|gave" /tmp/attack'
# beyond all memory, the IOMMU's registers, and reading where a write would be an interrupt
check a-device-reads-nothing-elsewhere dma 0x10000000000 $((registers + 0x18))

# vectors that look like exceptions, and the hypervisor's own
check interrupts-are-sent dma message 0x10 0x1f
check interrupts-of-the-hypervisor-are-sent dma message 0xf0 0xff

nmis() { awk '/^ *NMI:/ {for (i = 2; i <= NF && $i ~ /^[0-9]+$/; i++) n += $i > 0} END {print n + 0}' /proc/interrupts; }
if grep -q acrn.forge=yes /proc/cmdline; then
	echo "=== interrupts that nobody gave the device: vectors of ours, an NMI, an INIT"
	check forged-messages-are-sent dma message 0x90 0x9f
	check a-forged-nmi-is-sent dma message 0x400 0x400
	check a-forged-init-is-sent dma message 0x500 0x500
	check no-forged-message-arrives sh -c '! dmesg | grep "No irq handler for vector"'
	equal no-forged-nmi-arrives "$(nmis)" 0
fi

echo "=== and the machine lives"
equal hypervisor-still-answers "$(probe hypervisor)" ACRNACRNACRN
check network-still-answers answers 10.0.2.2
looked() { [ "$(nmis)" -gt 0 ]; }
echo "look at memory, please"
check memory-was-looked-at until_true 60 looked
finish
