# SPDX-License-Identifier: BSD-3-Clause
# The whole life of a stack on a machine of Bochs in one boot, because a boot is dear there. Run by intel.bats; the lines
# "AT seconds what" say how long each step took, by the guest's clock.
. /payload/guest/lib.sh
. /payload/guest/service/vm.sh
cpus=$(nproc)
at() { echo "AT $(cut -d' ' -f1 /proc/uptime) $*"; }

at "shell of the Service VM"
equal hypervisor-signature "$(probe hypervisor)" ACRNACRNACRN
equal all-cpus-are-up "$cpus" "$(sed -n 's/.*acrn.cpus=\([0-9]*\).*/\1/p' /proc/cmdline)"
check every-cpu-runs-code sh -c "for i in \$(seq 0 $((cpus - 1))); do taskset -c \$i true || exit 1; done"
check no-virtualization-for-guests sh -c '! grep -qwE "svm|vmx" /proc/cpuinfo'
modprobe msr
check allowed-msr-reads probe rdmsr 0x10
check vmx-msr-faults sh -c '! probe rdmsr 0x480'
check svm-msr-faults sh -c '! probe rdmsr 0xc0010117'
check vmcall-from-user-space-faults sh -c 'probe call vmcall 0x80000000 | grep -q signal'
check vmmcall-from-user-space-faults sh -c 'probe call vmmcall 0x80000000 | grep -q signal'
ms=$(probe clocks 1)
check a-sleep-lasts-what-it-says test "$ms" -ge 990 -a "$ms" -le 2000

check module-loads hsm_load || finish
at "module loaded"
pins=$(vm_pinned)

cat >/tmp/user.sh <<'TXT'
. /payload/lib.sh
word() { sed -n "s/.*acrn\.$1=\([^ ]*\).*/\1/p" /proc/cmdline; }
equal cpus "$(nproc)" "$(word cpus)"
equal hypervisor-signature "$(probe hypervisor)" ACRNACRNACRN
check every-cpu-runs-code sh -c 'for i in $(seq 0 $(($(nproc) - 1))); do taskset -c $i true || exit 1; done'
equal disk-reads "$(md5sum </dev/vda | cut -d' ' -f1)" "$(word md5)"
check disk-keeps sh -c 'head -c 4096 /bin/busybox >/tmp/a && dd if=/tmp/a of=/dev/vda conv=fsync 2>/dev/null &&
	echo 3 >/proc/sys/vm/drop_caches && head -c 4096 /dev/vda | cmp - /tmp/a'
check no-virtualization sh -c '! grep -qwE "svm|vmx" /proc/cpuinfo'
check hypercall-from-user-space-faults sh -c 'probe call vmcall 0x80000000 | grep -q signal'
ms=$(probe clocks 1)
check a-sleep-lasts-what-it-says test "$ms" -ge 990 -a "$ms" -le 2000
finish
TXT
user_image /tmp/user.img /tmp/user.sh
dd if=/dev/urandom of=/tmp/disk.img bs=64k count=4 2>/dev/null
VM_ARGS="nokaslr mitigations=off acrn.cpus=$cpus acrn.md5=$(md5sum </tmp/disk.img | cut -d' ' -f1)"
at "User VM starts"
vm_linux user /tmp/user.img --cpu_affinity "$(seq -s, 0 $((cpus - 1)))" -s 0,hostbridge -s 1,lpc -l com1,stdio \
	-s 3,virtio-blk,/tmp/disk.img
check user-vm-came-to-its-shell until_true 120 vm_says user '^(PASS|FAIL) '
at "shell of the User VM"
equal power-off-ends-with-0 "$(vm_wait user 60)" 0
vm_checks user user-
at "User VM off"

vm_start odd -m 128M -k /boot/hostile -B M --debugexit
equal odd-guest-sees-only-faults "$(vm_wait odd 60)" 1
check odd-guest-came-to-its-end vm_says odd 'tiny guest: end'
vm_checks odd odd-
acrn-dm -m 128M -k /boot/hostile -B M -s 5,passthru,00/01/1,no_reset,irq=20 pt >/tmp/pt.out 2>&1
equal no-device-without-an-iommu "$? $(grep -o 'there is no IOMMU' /tmp/pt.out)" "1 there is no IOMMU"
vm_start triple -m 128M -k /boot/hostile -B T
check triple-fault-came until_true 30 vm_says triple 'tiny guest: (.* )?T'
usleep 300000
check triple-fault-does-not-run-on sh -c '! grep -q "tiny guest: end" /tmp/triple.out'
kill -KILL "$(vm_pid triple)" 2>/dev/null
vm_wait triple 20
at "odd guest and triple fault over"

done=0
for i in 1 2 3; do
	vm_start "k$i" -m 128M -k /boot/hostile -B S
	until_true 30 vm_says "k$i" 'tiny guest: (.* )?S' || break
	kill -KILL "$(vm_pid "k$i")"
	[ "$(vm_wait "k$i" 20)" = 137 ] && done=$((done + 1))
done
equal kill-cycles-ran $done 3
check no-pinned-page-stays until_true 10 vm_pinned_at_most "$pins"
check module-unloads rmmod acrn_hsm
check kernel-log-is-clean kernel_log_is_clean
at "end"
finish
