# SPDX-License-Identifier: BSD-3-Clause
# Our figures that need acrn-dm: the measuring guest and Debian's kernel as User VMs. Run by tests/bench/run and,
# without the kernel, by run-bochs.
. /payload/guest/lib.sh
. /payload/guest/service/vm.sh
hsm_load || exit 1
vm_start bench -m 128M -k /boot/bench -B bench=cioaAPQMWK -s 3,virtio-rnd --debugexit
echo "acrn-dm ended with $(vm_wait bench 300)"
cat /tmp/bench.out
[ -e /boot/user.img ] || exit 0
USER_ARGS="$USER_ARGS nokaslr no_timer_check rdinit=/boot_ticks bench=user"
vm_start linux -m 512M -k "$KERNEL" -r /boot/user.img -B "$USER_ARGS" -s 3,virtio-rnd
until_true 600 vm_says linux 'BOOT user'
cat /tmp/linux.out
kill -KILL "$(vm_pid linux)"
