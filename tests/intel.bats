#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# The stack in Bochs, through BIOS and GRUB: one boot carries everything. BOCHS_MODEL names the processor, BOCHS_CPUS
# says how many of it (1; make check-intel: 2).
load helper

setup_file() {
	bochs_boot intel --cpus "${BOCHS_CPUS:-1}" --append "acrn.cpus=${BOCHS_CPUS:-1}" \
		--timeout 900 --off --run "$TOP/tests/guest/service/intel.sh"
}

@test "GRUB starts acrn.elf, which finds this machine" {
	says intel "started by GRUB"
	says intel "cpu: .*, ${BOCHS_CPUS:-1} running"
	says intel "vcpu: using (VMX|SVM)"
	says intel "mitigations: "
	[ "${BOCHS_MODEL:-haswell}" = ryzen ] || says intel "mitigations:.* no large executable pages"
}
@test "there is no IOMMU: the log says so, and no device is given away" {
	says intel "iommu: none is used"
	passes intel no-device-without-an-iommu
	says intel "device .* stays with the Service VM: there is no IOMMU"
}
@test "Debian's kernel runs as Service VM to its shell" {
	says intel "AT .* shell of the Service VM"
	passes intel hypervisor-signature
	passes intel all-cpus-are-up
	passes intel every-cpu-runs-code
	passes intel a-sleep-lasts-what-it-says
}
@test "the Service VM sees neither VMX nor SVM, and their MSRs fault" {
	passes intel no-virtualization-for-guests
	passes intel allowed-msr-reads
	passes intel vmx-msr-faults
	passes intel svm-msr-faults
}
@test "both hypercall instructions fault in user space" {
	passes intel vmcall-from-user-space-faults
	passes intel vmmcall-from-user-space-faults
}
@test "the module loads and unloads; the kernel log is clean" {
	passes intel module-loads
	passes intel module-unloads
	passes intel kernel-log-is-clean
}
@test "acrn-dm starts a User VM that runs Debian's kernel to its shell" {
	passes intel user-vm-came-to-its-shell
	passes intel user-cpus
	passes intel user-every-cpu-runs-code
	passes intel user-hypervisor-signature
	passes intel user-no-virtualization
	passes intel user-hypercall-from-user-space-faults
	passes intel user-a-sleep-lasts-what-it-says
}
@test "the User VM's disk reads and keeps" {
	passes intel user-disk-reads
	passes intel user-disk-keeps
}
@test "the User VM's power-off ends acrn-dm with 0" { passes intel power-off-ends-with-0; }
@test "a guest that touches what is not there sees faults only" {
	passes intel odd-unmapped-mmio-is-survived
	passes intel odd-unknown-ports-are-survived
	passes intel odd-unknown-msrs-fault
	passes intel odd-efer-svme-faults
	passes intel odd-svm-instructions-fault
	passes intel odd-vmx-instructions-fault
	passes intel odd-bad-xsetbv-faults
	passes intel odd-cpuid-hides-svm
	passes intel odd-cpuid-hides-vmx
	passes intel odd-hypercalls-are-refused
	passes intel odd-guest-came-to-its-end
	passes intel odd-guest-sees-only-faults
}
@test "a triple fault stops the User VM that made it" {
	passes intel triple-fault-came
	passes intel triple-fault-does-not-run-on
}
@test "kill -9 of acrn-dm, three times: nothing of the User VM stays" {
	passes intel kill-cycles-ran
	passes intel no-pinned-page-stays
}
@test "the Service VM's power-off ends the machine" { grep "machine off" "$LOGS/intel.run"; }
