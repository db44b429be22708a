# SPDX-License-Identifier: BSD-3-Clause
UNIT_TESTS += vm_exit_cr
vm_exit_cr_SRCS := tests/unit/vm/test_exit_cr.c hypervisor/vm/exit_cr.c
