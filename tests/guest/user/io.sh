# SPDX-License-Identifier: BSD-3-Clause
# One of two User VMs at work: disk and network at the same time, everything compared. Run by two_vms.sh.
. /payload/lib.sh
word() { sed -n "s/.*acrn\.$1=\([^ ]*\).*/\1/p" /proc/cmdline; }
equal cpus "$(nproc)" 2
modprobe ext4
ip addr add "$(word address)/24" dev eth0
ip link set eth0 up

network() {
	dd if=/dev/urandom of=/tmp/send bs=1M count=1 2>/dev/null
	nc -w 60 10.9.0.1 "$(word port)" </tmp/send || return 1
	md5sum </tmp/send | cut -d' ' -f1 >/tmp/sent
}
network &
net=$!
taskset -c 1 ping -c 10 -w 120 10.9.0.1 >/tmp/ping &
ping=$!
mke2fs /dev/vda >/dev/null 2>&1 && mount -t ext4 /dev/vda /mnt || fail filesystem "no file system"
good=1
for round in 1 2 3; do
	dd if=/dev/urandom of="/tmp/file" bs=1M count=2 2>/dev/null
	cp /tmp/file "/mnt/file.$round"
	sync
	echo 3 >/proc/sys/vm/drop_caches
	cmp /tmp/file "/mnt/file.$round" || good=0
done
equal disk-keeps-what-is-written $good 1
check unmount umount /mnt
wait $net
equal network-sends $? 0
wait $ping
equal network-answers $? 0
grep -E 'received|round-trip' /tmp/ping
echo "sent $(cat /tmp/sent)"
finish
