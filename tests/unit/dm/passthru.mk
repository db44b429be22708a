# SPDX-License-Identifier: BSD-3-Clause
# Devices of the machine: acrn-dm's side of passing them through, and acrnctl's of finding them.
UNIT_TESTS += dm_pci_groups
dm_pci_groups_SRCS := tests/unit/dm/test_pci_groups.c acrn-dm/ctl/pci_groups.c
dm_pci_groups_CFLAGS := $(CORE_TEST_FLAGS)

UNIT_TESTS += dm_passthru
dm_passthru_SRCS := \
	tests/unit/dm/test_passthru.c \
	acrn-dm/dev/passthru.c \
	acrn-dm/dev/passthru_opts.c \
	acrn-dm/dev/passthru_rom.c \
	acrn-dm/config.c \
	$(DM_BUS_SRCS) \
	acrn-dm/log.c
dm_passthru_CFLAGS := $(CORE_TEST_FLAGS)
