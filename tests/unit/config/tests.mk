# SPDX-License-Identifier: BSD-3-Clause
UNIT_TESTS += config_slice config_scenario
config_slice_SRCS := tests/unit/config/test_slice.c hypervisor/config/slice.c
config_scenario_SRCS := tests/unit/config/test_scenario.c \
	hypervisor/config/scenario.c hypervisor/config/slice.c

FUZZERS += fuzz_acrn_conf
fuzz_acrn_conf_SRCS := tests/unit/config/fuzz_acrn_conf.c \
	hypervisor/config/scenario.c hypervisor/config/slice.c
