# SPDX-License-Identifier: BSD-3-Clause

INSN := hypervisor/x86/insn.c hypervisor/x86/insn_table.c

UNIT_TESTS += x86_insn
x86_insn_SRCS := tests/unit/x86/test_insn.c $(INSN)

UNIT_TESTS += x86_insn_objdump
x86_insn_objdump_SRCS := tests/unit/x86/test_insn_objdump.c $(INSN)

UNIT_TESTS += x86_insn_exec
x86_insn_exec_SRCS := tests/unit/x86/test_insn_exec.c hypervisor/x86/insn_exec.c \
	$(INSN)

UNIT_TESTS += x86_insn_host
x86_insn_host_SRCS := tests/unit/x86/test_insn_host.c hypervisor/x86/insn_exec.c \
	$(INSN)

FUZZERS += fuzz_insn
fuzz_insn_SRCS := tests/unit/x86/fuzz_insn.c hypervisor/x86/insn_exec.c $(INSN)

UNIT_TESTS += x86_guest_walk
x86_guest_walk_SRCS := tests/unit/x86/test_guest_walk.c hypervisor/x86/guest_walk.c

UNIT_TESTS += x86_registers
x86_registers_SRCS := tests/unit/x86/test_registers.c
