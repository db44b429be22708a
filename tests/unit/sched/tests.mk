# SPDX-License-Identifier: BSD-3-Clause

UNIT_TESTS += sched_bvt
sched_bvt_SRCS := tests/unit/sched/test_sched.c hypervisor/sched/sched.c
