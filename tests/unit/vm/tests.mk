# SPDX-License-Identifier: BSD-3-Clause
UNIT_TESTS += vm_exit_cr
vm_exit_cr_SRCS := tests/unit/vm/test_exit_cr.c hypervisor/vm/exit_cr.c

UNIT_TESTS += vm_exit_mmio
vm_exit_mmio_SRCS := tests/unit/vm/test_exit_mmio.c hypervisor/vm/exit_mmio.c hypervisor/vm/exit_io.c \
	hypervisor/vdev/io_bus.c hypervisor/x86/insn.c hypervisor/x86/insn_table.c hypervisor/x86/insn_exec.c \
	tests/unit/fake/log.c

UNIT_TESTS += vm_passthru
vm_passthru_SRCS := tests/unit/vm/test_passthru.c hypervisor/vm/passthru.c hypervisor/vm/passthru_bar.c \
	hypervisor/vm/passthru_irq.c hypervisor/vm/passthru_mmio.c hypervisor/vm/passthru_vf.c \
	hypervisor/hw/pci_sriov.c hypervisor/vm/vm_memory.c \
	hypervisor/vdev/vpci_passthru.c hypervisor/vdev/vpci_msix.c hypervisor/vdev/io_bus.c \
	hypervisor/mm/gpa_space.c hypervisor/mm/pgtable.c hypervisor/mm/pgtable_format.c hypervisor/mm/page_pool.c \
	tests/unit/fake/log.c tests/unit/fake/panic.c

UNIT_TESTS += vm_exit_cpuid
vm_exit_cpuid_SRCS := tests/unit/vm/test_exit_cpuid.c hypervisor/vm/exit_cpuid.c

UNIT_TESTS += vm_service_msi
vm_service_msi_SRCS := tests/unit/vm/test_service_msi.c hypervisor/vm/service_msi.c hypervisor/vm/service_msix.c \
	hypervisor/mm/page_pool.c tests/unit/fake/log.c tests/unit/fake/panic.c
