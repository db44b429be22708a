# SPDX-License-Identifier: BSD-3-Clause
# A User VM with disk, network, console and entropy looks at its machine. Its words are asked for by user_vm.bats.
. /payload/lib.sh
word() { sed -n "s/.*acrn\.$1=\([^ ]*\).*/\1/p" /proc/cmdline; }

equal cpus "$(nproc)" "$(word cpus)"
equal hypervisor-signature "$(probe hypervisor)" ACRNACRNACRN
check memory test "$(awk '/MemTotal/ {print int($2 / 1024)}' /proc/meminfo)" -ge 180
check every-cpu-runs-code sh -c 'for i in $(seq 0 $(($(nproc) - 1))); do taskset -c $i true || exit 1; done'

echo "=== disk"
check disk-size test "$(blockdev --getsize64 /dev/vda)" = 8388608
equal disk-reads "$(md5sum </dev/vda | cut -d' ' -f1)" "$(word md5)"
dd if=/dev/urandom of=/tmp/block bs=64k count=8 2>/dev/null
dd if=/tmp/block of=/dev/vda bs=64k seek=16 conv=fsync 2>/dev/null
echo 3 >/proc/sys/vm/drop_caches
equal disk-keeps "$(dd if=/dev/vda bs=64k skip=16 count=8 2>/dev/null | md5sum)" "$(md5sum </tmp/block)"
echo "wrote $(md5sum </tmp/block | cut -d' ' -f1)"
modprobe ext4
check filesystem sh -c 'mke2fs /dev/vdb >/dev/null 2>&1 && mount /dev/vdb /mnt && cp /tmp/block /mnt/a && umount /mnt &&
	mount /dev/vdb /mnt && cmp /tmp/block /mnt/a && umount /mnt'
equal read-only-disk-says-so "$(blockdev --getro /dev/vdc)" 1
check read-only-disk-refuses sh -c '! dd if=/tmp/block of=/dev/vdc bs=512 count=1 conv=fsync 2>/dev/null'

echo "=== network"
check network-card until_true 5 ip link show eth0
ip addr add 10.9.0.2/24 dev eth0
ip link set eth0 up
check network-answers answers 10.9.0.1
check network-carries sh -c 'echo hello from the user vm | nc -w 20 10.9.0.1 4000'

echo "=== console and entropy"
check console until_true 5 test -c /dev/hvc0
echo "a word over virtio-console" >/dev/hvc0
check entropy sh -c 'grep -q virtio_rng /sys/class/misc/hw_random/rng_current && head -c 64 /dev/hwrng | wc -c | grep -qx 64'

echo "=== clocks"
modprobe msr
ms=$(probe clocks 2)
check a-sleep-lasts-what-it-says test "$ms" -ge 1990 -a "$ms" -le 4000
check the-rtc-runs hwclock -u
check the-rtc-has-the-date sh -c '[ $(($(date +%Y))) -ge 2020 ]'
cat /sys/devices/system/clocksource/clocksource0/available_clocksource
cat /proc/interrupts

echo "=== what it may not"
check unknown-msr-faults sh -c '! probe rdmsr 0x4b564d00'
check no-svm sh -c '! grep -qw svm /proc/cpuinfo'
equal hypercall-from-user-space-faults "$(probe call vmmcall 0x80000000)" "signal 4"
check second-serial-port sh -c 'echo a word over com2 >/dev/ttyS1'
finish
