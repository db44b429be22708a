# SPDX-License-Identifier: BSD-3-Clause

PGTABLE := hypervisor/mm/pgtable.c hypervisor/mm/pgtable_format.c hypervisor/mm/page_pool.c

UNIT_TESTS += mm_page_pool
mm_page_pool_SRCS := tests/unit/mm/test_page_pool.c hypervisor/mm/page_pool.c \
	tests/unit/fake/panic.c

UNIT_TESTS += mm_pgtable_format
mm_pgtable_format_SRCS := tests/unit/mm/test_pgtable_format.c hypervisor/mm/pgtable_format.c

UNIT_TESTS += mm_pgtable
mm_pgtable_SRCS := tests/unit/mm/test_pgtable.c $(PGTABLE) tests/unit/fake/panic.c

UNIT_TESTS += mm_gpa_space
mm_gpa_space_SRCS := tests/unit/mm/test_gpa_space.c hypervisor/mm/gpa_space.c $(PGTABLE) \
	tests/unit/fake/panic.c

UNIT_TESTS += mm_sbuf
mm_sbuf_SRCS := tests/unit/mm/test_sbuf.c hypervisor/mm/sbuf.c
