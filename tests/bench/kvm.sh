# SPDX-License-Identifier: BSD-3-Clause
# The peer's figures: the measuring guest under Debian's KVM. Run by tests/bench/run in Debian without a hypervisor.
modprobe kvm-amd || exit 1
kvm_bench /boot/bench bench=chioaAPQMWK
