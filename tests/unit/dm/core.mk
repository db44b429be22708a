# SPDX-License-Identifier: BSD-3-Clause
# The core of the device model: read by tests.mk.

CORE_TEST_FLAGS := -Iacrn-dm -D_GNU_SOURCE -DDM_VERSION='"test"' -pthread

UNIT_TESTS += dm_opts
dm_opts_SRCS := \
	tests/unit/dm/test_opts.c \
	acrn-dm/opts.c \
	acrn-dm/opts_config.c \
	acrn-dm/opts_machine.c \
	acrn-dm/opts_mmio.c \
	acrn-dm/opts_slot.c \
	acrn-dm/opts_help.c
dm_opts_CFLAGS := $(CORE_TEST_FLAGS)
dm_opts_LIBS := -luuid

UNIT_TESTS += dm_firmware
dm_firmware_SRCS := \
	tests/unit/dm/test_firmware.c \
	tests/unit/dm/fake_core.c \
	acrn-dm/dev/pflash.c \
	acrn-dm/dev/pm.c \
	acrn-dm/loop.c \
	acrn-dm/firmware/acpi.c \
	acrn-dm/firmware/acpi_loader.c \
	acrn-dm/firmware/acpi_table.c \
	acrn-dm/firmware/aml.c \
	acrn-dm/firmware/dsdt.c \
	acrn-dm/firmware/fw_cfg.c \
	acrn-dm/firmware/smbios.c \
	acrn-dm/loader/elf.c \
	$(DM_BUS_SRCS) \
	acrn-dm/config.c \
	$(DM_MEMORY_SRCS)
dm_firmware_CFLAGS := $(CORE_TEST_FLAGS)

UNIT_TESTS += dm_q35
dm_q35_SRCS := \
	tests/unit/dm/test_q35.c \
	tests/unit/dm/fake_core.c \
	acrn-dm/dev/pm.c \
	acrn-dm/dev/q35.c \
	acrn-dm/loop.c \
	$(DM_BUS_SRCS) \
	acrn-dm/config.c \
	$(DM_MEMORY_SRCS)
dm_q35_CFLAGS := $(CORE_TEST_FLAGS)

UNIT_TESTS += dm_fwfiles
dm_fwfiles_SRCS := \
	tests/unit/dm/test_fwfiles.c \
	tests/unit/dm/fake_core.c \
	acrn-dm/loader/firmware.c \
	acrn-dm/loader/e820.c \
	acrn-dm/config.c \
	$(DM_MEMORY_SRCS)
dm_fwfiles_CFLAGS := $(CORE_TEST_FLAGS)

FUZZERS += fuzz_firmware
fuzz_firmware_SRCS := \
	tests/unit/dm/fuzz_firmware.c \
	tests/unit/dm/fake_core.c \
	acrn-dm/dev/pflash.c \
	acrn-dm/firmware/fw_cfg.c \
	acrn-dm/loader/elf.c \
	acrn-dm/config.c \
	$(DM_MEMORY_SRCS)
fuzz_firmware_CFLAGS := $(CORE_TEST_FLAGS)

UNIT_TESTS += dm_acpi
dm_acpi_SRCS := \
	tests/unit/dm/test_acpi.c \
	tests/unit/dm/fake_core.c \
	acrn-dm/firmware/acpi.c \
	acrn-dm/firmware/acpi_table.c \
	acrn-dm/firmware/aml.c \
	acrn-dm/firmware/dsdt.c \
	$(DM_BUS_SRCS) \
	acrn-dm/dev/pm.c \
	acrn-dm/loop.c \
	acrn-dm/config.c \
	$(DM_MEMORY_SRCS)
dm_acpi_CFLAGS := $(CORE_TEST_FLAGS)

UNIT_TESTS += dm_loader
dm_loader_SRCS := \
	tests/unit/dm/test_loader.c \
	acrn-dm/loader/bzimage.c \
	acrn-dm/loader/e820.c
dm_loader_CFLAGS := $(CORE_TEST_FLAGS)

UNIT_TESTS += dm_pci
dm_pci_SRCS := \
	tests/unit/dm/test_pci.c \
	tests/unit/dm/fake_core.c \
	$(DM_BUS_SRCS) \
	acrn-dm/log.c
dm_pci_CFLAGS := $(CORE_TEST_FLAGS)

UNIT_TESTS += dm_legacy
dm_legacy_SRCS := \
	tests/unit/dm/test_legacy.c \
	acrn-dm/dev/uart.c \
	acrn-dm/dev/rtc.c \
	acrn-dm/dev/pit.c
dm_legacy_CFLAGS := $(CORE_TEST_FLAGS)

UNIT_TESTS += dm_core
dm_core_SRCS := \
	tests/unit/dm/test_core.c \
	tests/unit/dm/fake_core.c \
	acrn-dm/affinity.c \
	acrn-dm/bus/io.c \
	acrn-dm/loop.c \
	acrn-dm/memory.c \
	tests/unit/dm/fake_hsm_memory.c \
	acrn-dm/monitor_json.c \
	acrn-dm/log.c
dm_core_CFLAGS := $(CORE_TEST_FLAGS)

UNIT_TESTS += dm_ioreq
dm_ioreq_SRCS := \
	tests/unit/dm/test_ioreq.c \
	acrn-dm/ioreq.c \
	acrn-dm/bus/io.c \
	$(DM_MEMORY_SRCS)
dm_ioreq_CFLAGS := $(CORE_TEST_FLAGS)

UNIT_TESTS += dm_manager
dm_manager_SRCS := \
	tests/unit/dm/test_manager.c \
	acrn-dm/manager.c \
	acrn-dm/ctl/server.c \
	acrn-dm/ctl/client.c \
	acrn-dm/ctl/vms.c \
	acrn-dm/config.c \
	acrn-dm/loop.c \
	acrn-dm/log.c
dm_manager_CFLAGS := $(CORE_TEST_FLAGS)

UNIT_TESTS += dm_notify
dm_notify_SRCS := \
	tests/unit/dm/test_notify.c \
	acrn-dm/notify.c \
	acrn-dm/log.c
dm_notify_CFLAGS := $(CORE_TEST_FLAGS)

UNIT_TESTS += dm_chardev
dm_chardev_SRCS := \
	tests/unit/dm/test_chardev.c \
	acrn-dm/backend/chardev.c \
	acrn-dm/backend/chardev_open.c \
	acrn-dm/config.c \
	acrn-dm/loop.c \
	acrn-dm/log.c
dm_chardev_CFLAGS := $(CORE_TEST_FLAGS)
