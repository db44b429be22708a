# SPDX-License-Identifier: BSD-3-Clause
# The peer's figures: the measuring guest under Debian's KVM. Run by tests/bench/run and run-bochs in Debian without a hypervisor.
if grep -qw vmx /proc/cpuinfo; then modprobe kvm-intel; else modprobe kvm-amd; fi || exit 1
kvm_bench /boot/bench bench=chioaAPQMWK
