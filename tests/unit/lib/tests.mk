# SPDX-License-Identifier: BSD-3-Clause

UNIT_TESTS += lib_string
lib_string_SRCS := tests/unit/lib/test_string.c
lib_string_PREFIXED := hypervisor/lib/string.c

UNIT_TESTS += lib_printf
lib_printf_SRCS := tests/unit/lib/test_printf.c
lib_printf_PREFIXED := hypervisor/lib/printf.c

UNIT_TESTS += lib_log
lib_log_SRCS := tests/unit/lib/test_log.c hypervisor/lib/log.c

UNIT_TESTS += lib_words
lib_words_SRCS := tests/unit/lib/test_words.c

UNIT_TESTS += lib_kept_log
lib_kept_log_SRCS := tests/unit/lib/test_kept_log.c hypervisor/lib/kept_log.c
