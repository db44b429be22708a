# SPDX-License-Identifier: BSD-3-Clause
# Two User VMs of two vCPUs each at once, both doing disk and network I/O, while the Service VM computes checksums on
# every CPU. Run by two_vms.bats.
. /payload/guest/lib.sh
. /payload/guest/service/vm.sh
check module-loads hsm_load || finish
net_up
mkdir -p /tmp/www
dd if=/dev/urandom of=/tmp/www/data bs=1M count=1 2>/dev/null
md5sum </tmp/www/data | cut -d' ' -f1 >/tmp/www/md5
httpd -p 80 -h /tmp/www
user_image /tmp/io.img /payload/guest/user/io.sh

for n in 1 2; do
	net_tap tap$n
	truncate -s 48M /tmp/disk$n.img
	VM_ARGS="acrn.address=10.9.0.1$n"
	vm_linux vm$n /tmp/io.img --cpu_affinity 0,1 -s 3,virtio-blk,/tmp/disk$n.img -s 4,virtio-net,tap=tap$n
done

# The Service VM's own work: the same checksum again and again, until both are done.
dd if=/dev/urandom of=/tmp/data bs=1M count=8 2>/dev/null
want=$(md5sum </tmp/data)
work() {
	rounds=0
	while ! [ -e /tmp/stop-work ]; do
		[ "$(taskset -c "$1" md5sum </tmp/data)" = "$want" ] || { echo wrong; return; }
		rounds=$((rounds + 1))
	done
	echo "right $rounds"
}
work 0 >/tmp/work0 &
work 1 >/tmp/work1 &

# What each User VM serves is taken once it has an address; then a word is there for it.
take() {
	until_true 300 timeout 60 wget -q -O "/tmp/taken$1" "http://10.9.0.1$1/data" &&
		timeout 60 wget -q -O "/tmp/md5.$1" "http://10.9.0.1$1/md5" && echo yes >"/tmp/www/took-10.9.0.1$1"
}
take 1 &
take 2 &

equal vm1-ends-with-0 "$(vm_wait vm1 400)" 0
equal vm2-ends-with-0 "$(vm_wait vm2 400)" 0
touch /tmp/stop-work
usleep 1500000
for n in 1 2; do
	vm_checks vm$n vm$n-
	equal vm$n-data-arrived-unchanged "$(md5sum </tmp/taken$n | cut -d' ' -f1)" "$(cat /tmp/md5.$n)"
done
cat /tmp/work0 /tmp/work1
check service-vm-computed-right sh -c '[ "$(cat /tmp/work0 /tmp/work1 | grep -c "^right [1-9]")" = 2 ]'
check kernel-log-is-clean kernel_log_is_clean
finish
