# SPDX-License-Identifier: BSD-3-Clause
# Plain Linux on a BIOS machine, behind a start of ACRN that failed. Run by grub.bats.
. /payload/guest/lib.sh
export ACRN_LIB=/payload
acrn() { sh /payload/acrn "$@"; }
saved() { acrn log --save | grep "The last run of the hypervisor ended badly"; }
told() { acrn log --last | grep -e "$1"; }
check plain-linux test "$(probe hypervisor)" != ACRNACRNACRN
check the-memory-is-cut-out sh -c '! grep -q "^ *10000000-" /proc/iomem && grep "^ *10004000-.*System RAM" /proc/iomem'
check the-log-is-there told "^The last run of the hypervisor ended badly"
check it-tells-the-reason told "the Service VM is not up after 10 seconds"
check its-first-line-is-there told "hypervisor ready on 2 CPUs"
check it-is-saved saved
check it-is-gone-from-memory told "^Of an earlier start"
echo "TEST-EXIT $((failures > 0))"
