# SPDX-License-Identifier: BSD-3-Clause

UNIT_TESTS += hw_fb
hw_fb_SRCS := tests/unit/hw/test_fb.c hypervisor/hw/fb.c hypervisor/hw/font.c
