#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# User VMs that misbehave, in one boot; the Service VM does not notice.
load helper

setup_file() {
	boot hostile --smp 2 --mem 2G --timeout 600 --off --run "$TOP/tests/guest/service/hostile.sh"
}

@test "a User VM that touches unmapped MMIO and unknown ports lives on" {
	passes hostile odd-unmapped-mmio-is-survived
	passes hostile odd-unknown-ports-are-survived
	passes hostile odd-guest-came-to-its-end
	passes hostile service-vm-does-not-notice-odd
}
@test "unknown MSRs, EFER.SVME, SVM and VMX instructions fault in a User VM" {
	passes hostile odd-unknown-msrs-fault
	passes hostile odd-efer-svme-faults
	passes hostile odd-svm-instructions-fault
	passes hostile odd-vmx-instructions-fault
	passes hostile odd-bad-xsetbv-faults
	passes hostile odd-cpuid-hides-svm
	passes hostile odd-cpuid-hides-vmx
	passes hostile odd-guest-sees-only-faults
}
@test "every hypercall of a User VM is refused" { passes hostile odd-hypercalls-are-refused; }
@test "a User VM that spins with interrupts off takes its share and no more" {
	passes hostile spinning-guest-runs
	passes hostile service-vm-computes-beside-it
	passes hostile service-vm-does-not-notice-spin
	passes hostile spinning-guest-is-stopped
}
@test "a User VM that triple-faults stops, and the Service VM does not notice" {
	passes hostile triple-fault-came
	passes hostile triple-fault-does-not-run-on
	passes hostile service-vm-does-not-notice-triple
}
@test "a triple fault reaches the monitor's client through the event ring, and resets the guest" {
	passes hostile triple-fault-is-told-to-the-monitor
	passes hostile triple-fault-resets-the-guest
}
@test "after all of them a good User VM runs, and the kernel log is clean" {
	passes hostile good-guest-runs-after-them
	passes hostile good-guest-says-its-word
	passes hostile kernel-log-is-clean
}
