# SPDX-License-Identifier: BSD-3-Clause

UNIT_TESTS += x86_insn
x86_insn_SRCS := tests/unit/x86/test_insn.c hypervisor/x86/insn.c

UNIT_TESTS += x86_insn_objdump
x86_insn_objdump_SRCS := tests/unit/x86/test_insn_objdump.c hypervisor/x86/insn.c
