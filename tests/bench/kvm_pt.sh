# SPDX-License-Identifier: BSD-3-Clause
# The peer's figures of pass-through: the edu device (00:10.0) under Debian's KVM and vfio. Run by tests/bench/run.
modprobe kvm-amd && modprobe vfio-pci && modprobe vfio_iommu_type1 || exit 1
device=/sys/bus/pci/devices/0000:00:10.0
echo vfio-pci >$device/driver_override
echo 0000:00:10.0 >/sys/bus/pci/drivers_probe
kvm_bench /boot/irq_guest bench 0000:00:10.0
