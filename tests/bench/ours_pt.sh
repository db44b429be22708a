# SPDX-License-Identifier: BSD-3-Clause
# Our figures of pass-through: the edu device (00:10.0) in a User VM. Run by tests/bench/run.
. /payload/guest/lib.sh
. /payload/guest/service/vm.sh
hsm_load && acrnctl dev assign 00:10.0 || exit 1
hsm_map 80
vm_start irq -m 128M -k /boot/irq_guest -B bench -s 5,passthru,00/10/0,no_reset --debugexit
echo "acrn-dm ended with $(vm_wait irq 300)"
cat /tmp/irq.out
