# SPDX-License-Identifier: BSD-3-Clause
# One of two User VMs at work: disk and network at the same time, everything compared. Run by two_vms.sh.
. /payload/lib.sh
word() { sed -n "s/.*acrn\.$1=\([^ ]*\).*/\1/p" /proc/cmdline; }
equal cpus "$(nproc)" 2
modprobe ext4
ip addr add "$(word address)/24" dev eth0
ip link set eth0 up

# both directions by HTTP: the Service VM's file comes here, and it takes ours
mkdir -p /tmp/www
dd if=/dev/urandom of=/tmp/www/data bs=1M count=1 2>/dev/null
md5sum </tmp/www/data | cut -d' ' -f1 >/tmp/www/md5
httpd -p 80 -h /tmp/www
network() {
	timeout 120 wget -q -O /tmp/data http://10.9.0.1/data && timeout 60 wget -q -O /tmp/md5 http://10.9.0.1/md5 &&
		[ "$(md5sum </tmp/data | cut -d' ' -f1)" = "$(cat /tmp/md5)" ] || return 1
	# the Service VM serves a word of its own when it has taken ours
	until_true 120 wget -q -O /dev/null "http://10.9.0.1/took-$(word address)"
}
network &
net=$!
taskset -c 1 sh -c '. /payload/lib.sh; for _ in 1 2 3 4; do answers 10.9.0.1 || exit 1; sleep 2; done' >/tmp/ping &
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
equal network-both-ways $? 0
wait $ping
equal network-answers $? 0
grep round-trip /tmp/ping
finish
