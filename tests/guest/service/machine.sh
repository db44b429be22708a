# SPDX-License-Identifier: BSD-3-Clause
# The Service VM looks at its machine: it must find everything that is not the hypervisor's, working, and nothing of
# what is. Run by machine.bats; the words after PASS are the names that file asks for.
. /payload/guest/lib.sh
modprobe msr
modprobe cpuid
cpus=$(nproc)

echo "=== who is below"
equal hypervisor-signature "$(probe hypervisor)" ACRNACRNACRN
check no-svm-for-guests sh -c '! grep -qw svm /proc/cpuinfo'
check kvm-amd-is-refused sh -c '! modprobe kvm-amd 2>/dev/null || ! [ -e /dev/kvm ]'

echo "=== processors"
equal all-cpus-are-up "$cpus" "$(sed -n 's/.*acrn.cpus=\([0-9]*\).*/\1/p' /proc/cmdline)"
check every-cpu-runs-code sh -c "for i in \$(seq 0 $((cpus - 1))); do taskset -c \$i true || exit 1; done"
if [ "$cpus" -gt 1 ]; then
	check cpu-goes-off-and-on sh -c 'cd /sys/devices/system/cpu/cpu1 && echo 0 >online && [ $(nproc) = '$((cpus - 1))' ] &&
		echo 1 >online && [ $(nproc) = '"$cpus"' ] && taskset -c 1 true'
fi
equal vector-registers-are-kept "$(probe vectors 2 $((cpus * 2)))" kept

echo "=== time"
before=$(date +%s)
hw_before=$(hwclock -u 2>/dev/null | md5sum)
ms=$(probe clocks 3)
check a-sleep-lasts-what-it-says test "$ms" -ge 2990 -a "$ms" -le 4500
check the-rtc-runs test "$(hwclock -u | md5sum)" != "$hw_before"
check the-clock-runs test $(($(date +%s) - before)) -ge 3
ticks() { awk '/^ *LOC:/ {for (i = 2; i <= NF && $i ~ /^[0-9]+$/; i++) n += $i} END {print n}' /proc/interrupts; }
t=$(ticks)
usleep 500000
check the-local-timer-ticks test "$(ticks)" -gt "$t"

echo "=== NMIs"
# on how many CPUs one came
nmis() { awk '/^ *NMI:/ {for (i = 2; i <= NF && $i ~ /^[0-9]+$/; i++) n += $i > 0} END {print n + 0}' /proc/interrupts; }
nmis_everywhere() { [ "$(nmis)" = "$cpus" ]; }
equal no-nmi-comes-by-itself "$(nmis)" 0
echo "an NMI, please"
check every-cpu-gets-the-machines-nmi until_true 20 nmis_everywhere
dmesg -c >/dev/null
echo l >/proc/sysrq-trigger
check every-cpu-gets-an-nmi-of-our-own until_true 20 sh -c "[ \"\$(dmesg | grep -c 'NMI backtrace for cpu')\" = $cpus ]"

echo "=== devices"
count() { awk -v w="$1" '$0 ~ w {for (i = 2; i <= NF && $i ~ /^[0-9]+$/; i++) n += $i} END {print n + 0}' /proc/interrupts; }
disk=
for d in /sys/block/vd*; do
	[ "$(cat "$d/serial" 2>/dev/null)" = disk0 ] && disk=/dev/${d##*/}
done
if [ -n "$disk" ]; then
	i=$(count virtio)
	equal disk-reads-what-is-there "$(md5sum <"$disk" | cut -d' ' -f1)" \
		"$(sed -n 's/.*acrn.md5=\([0-9a-f]*\).*/\1/p' /proc/cmdline)"
	check msi-x-interrupts-arrive test "$(count virtio)" -gt "$i"
	dd if=/dev/urandom of=/tmp/block bs=64k count=8 2>/dev/null
	dd if=/tmp/block of="$disk" bs=64k conv=fsync 2>/dev/null
	echo 3 >/proc/sys/vm/drop_caches
	equal disk-keeps-what-is-written "$(dd if="$disk" bs=64k count=8 2>/dev/null | md5sum)" "$(md5sum </tmp/block)"
else
	fail disk-reads-what-is-there "no disk of serial disk0"
fi
modprobe e1000e
check network-card-is-there until_true 5 ip link show eth0
ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0
check network-answers answers 10.0.2.2
i=$(count 'IO-APIC.*ttyS1')
check io-apic-pins-arrive test "$i" -gt 0
echo "a word over the virtual 16550" >/dev/ttyS0 && pass vuart-takes-a-line

echo "=== what is hidden"
check iommu-tables-are-hidden sh -c '! ls /sys/firmware/acpi/tables | grep -E "DMAR|IVRS"'
check tables-are-there sh -c 'ls /sys/firmware/acpi/tables/FACP /sys/firmware/acpi/tables/APIC /sys/firmware/acpi/tables/MCFG'
check allowed-msr-reads probe rdmsr 0x10
check unknown-msr-faults sh -c '! probe rdmsr 0x4b564d00'
check svm-msr-faults sh -c '! probe rdmsr 0xc0010117'
check unknown-msr-write-faults sh -c '! probe wrmsr 0x4b564d00 1'
equal vmmcall-from-user-space-faults "$(probe call vmmcall 0x80000000)" "signal 11"
equal vmcall-from-user-space-faults "$(probe call vmcall 0x80000000)" "signal 11"

echo "=== memory"
free -m | sed -n 2p
# RAM that the memory map calls reserved is the firmware's or the hypervisor's. Each page of it is read and written: the
# firmware's are open to us (and restored), the hypervisor's must all be closed. The hypervisor said on its console how
# much it has; machine.bats compares.
closed=0
for f in /sys/firmware/memmap/*; do
	start=$(cat "$f/start") end=$(cat "$f/end")
	[ "$(cat "$f/type")" = Reserved ] && [ $((end)) -lt $((0x80000000)) ] || continue
	result=$(probe sweep "$start" $((end + 1)) | tail -n 1)
	echo "$start-$end: $result"
	closed=$((closed + $(echo "$result" | cut -d' ' -f1)))
done
echo "closed: $((closed * 4)) KiB"
equal service-vm-lives-after-the-sweep "$(probe hypervisor)" ACRNACRNACRN
check memory-is-ours sh -c 'dd if=/dev/zero of=/tmp/big bs=1M count=600 2>/dev/null && rm /tmp/big'
finish
