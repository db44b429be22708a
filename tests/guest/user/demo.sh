# SPDX-License-Identifier: BSD-3-Clause
# What the User VM of make demo does when nobody is at the terminal.
run() {
	echo "# $*"
	"$@"
}
echo
echo "=== 5/5 User VM: a shell runs these commands"
run uname -a
run nproc
run free -m
run probe hypervisor
run ping -c 2 -w 20 10.9.0.1
run sh -c 'mke2fs /dev/vda >/dev/null && mount -t ext4 /dev/vda /mnt && df -h /mnt' || exit 1
echo "DEMO-USER-VM-DONE"
