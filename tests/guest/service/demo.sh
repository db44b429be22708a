# SPDX-License-Identifier: BSD-3-Clause
# The Service VM's part of make demo: module, network, a User VM on this terminal. Its exit code is acrn-dm's.
. /payload/guest/lib.sh
. /payload/guest/service/vm.sh
say() { printf '\n=== %s\n' "$*"; }

say "3/5 Service VM: Linux $(uname -r), $(nproc) CPUs, $(awk '/MemTotal/ {print int($2 / 1024)}' /proc/meminfo) MiB, above $(
	probe hypervisor)"
hsm_load || { say "the module did not load"; exit 1; }
net_up
net_tap tap0
truncate -s 64M /tmp/disk.img
say "4/5 module loaded ($(uname -r)); acrn-dm starts a User VM: 2 CPUs, 512 MiB, disk, network, console"
image=$INITRD
if grep -q acrn.batch /proc/cmdline; then
	image=/tmp/demo.img
	user_image $image /payload/guest/user/demo.sh
fi
cpus=0
[ "$(nproc)" -lt 2 ] || cpus=0,1
acrn-dm -m 512M -k $KERNEL -r $image -B "$USER_ARGS acrn.ip=10.9.0.2/24" --cpu_affinity $cpus -s 0,hostbridge \
	-s 1,lpc -l com1,stdio -s 3,virtio-blk,/tmp/disk.img -s 4,virtio-net,tap=tap0 -s 5,virtio-rnd demo
code=$?
say "acrn-dm ended with $code; the Service VM powers off"
exit $code
