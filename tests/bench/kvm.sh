# SPDX-License-Identifier: BSD-3-Clause
# The peer's figures: Debian's kernel alone on the machine, and KVM on it. Run by tests/bench/run.
echo "BOOT service $(cat /run/uptime-at-init)"
modprobe kvm-amd || exit 1
kvm_bench /boot/bench "x chioaAPQMWK"
