# SPDX-License-Identifier: BSD-3-Clause
# A Service VM on one CPU, started by GRUB; its end is a reboot. Run by grub.bats.
. /payload/guest/lib.sh
equal one-cpu "$(nproc)" 1
equal hypervisor-signature "$(probe hypervisor)" ACRNACRNACRN
check no-x2apic sh -c '! grep -qw x2apic /proc/cpuinfo'
ms=$(probe clocks 2)
check a-sleep-lasts-what-it-says test "$ms" -ge 1990 -a "$ms" -le 3500
echo "TEST-EXIT $((failures > 0))"
sync
reboot -f
