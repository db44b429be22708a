# SPDX-License-Identifier: BSD-3-Clause
# acrnctl and acrnd.

CTL_TEST_FLAGS := -Iacrn-dm -D_GNU_SOURCE -DDM_VERSION='"test"' -pthread

UNIT_TESTS += ctl_script
ctl_script_SRCS := tests/unit/ctl/test_script.c acrn-dm/ctl/script.c
ctl_script_CFLAGS := $(CTL_TEST_FLAGS)

UNIT_TESTS += ctl_commands
ctl_commands_SRCS := \
	tests/unit/ctl/test_commands.c \
	tests/unit/ctl/fake_service.c \
	tests/unit/ctl/fake_vm.c \
	acrn-dm/ctl/list.c \
	acrn-dm/ctl/run.c \
	acrn-dm/ctl/console.c \
	acrn-dm/ctl/add.c \
	acrn-dm/ctl/script.c \
	acrn-dm/ctl/ctl.c \
	acrn-dm/ctl/client.c \
	acrn-dm/ctl/vms.c
ctl_commands_CFLAGS := $(CTL_TEST_FLAGS)

UNIT_TESTS += ctl_daemon
ctl_daemon_SRCS := \
	tests/unit/ctl/test_daemon.c \
	tests/unit/ctl/fake_service.c \
	tests/unit/ctl/fake_vm.c \
	acrn-dm/ctl/daemon.c \
	acrn-dm/ctl/timers.c \
	acrn-dm/ctl/server.c \
	acrn-dm/ctl/client.c \
	acrn-dm/ctl/vms.c \
	acrn-dm/loop.c \
	acrn-dm/log.c
ctl_daemon_CFLAGS := $(CTL_TEST_FLAGS)
