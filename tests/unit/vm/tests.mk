# SPDX-License-Identifier: BSD-3-Clause
UNIT_TESTS += vm_exit_cr
vm_exit_cr_SRCS := tests/unit/vm/test_exit_cr.c hypervisor/vm/exit_cr.c

UNIT_TESTS += vm_exit_mmio
vm_exit_mmio_SRCS := tests/unit/vm/test_exit_mmio.c hypervisor/vm/exit_mmio.c hypervisor/vm/exit_io.c \
	hypervisor/vdev/io_bus.c hypervisor/x86/insn.c hypervisor/x86/insn_table.c hypervisor/x86/insn_exec.c \
	tests/unit/fake/log.c
