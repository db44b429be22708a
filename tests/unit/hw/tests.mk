# SPDX-License-Identifier: BSD-3-Clause

UNIT_TESTS += hw_fb
hw_fb_SRCS := tests/unit/hw/test_fb.c hypervisor/hw/fb.c hypervisor/hw/font.c

UNIT_TESTS += hw_pci_sriov
hw_pci_sriov_SRCS := tests/unit/hw/test_pci_sriov.c hypervisor/hw/pci_sriov.c tests/unit/fake/log.c
