# SPDX-License-Identifier: BSD-3-Clause
# Our figures that need acrn-dm: the measuring guest and Debian's kernel as User VMs. Run by tests/bench/run.
. /payload/guest/lib.sh
. /payload/guest/service/vm.sh
echo "BOOT service $(cat /run/uptime-at-init)"
hsm_load || exit 1
vm_start bench -m 128M -k /boot/bench -B "x chPQMWK" -s 3,virtio-rnd --debugexit
echo "acrn-dm ended with $(vm_wait bench 120)"
cat >/tmp/up.sh <<'TXT'
echo "BOOT user $(cat /run/uptime-at-init)"
TXT
user_image /tmp/up.img /tmp/up.sh
vm_linux linux /tmp/up.img -s 3,virtio-rnd
echo "acrn-dm ended with $(vm_wait linux 400)"
