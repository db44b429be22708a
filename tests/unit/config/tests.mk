# SPDX-License-Identifier: BSD-3-Clause
UNIT_TESTS += test_slice test_scenario
test_slice_SRCS := tests/unit/config/test_slice.c hypervisor/config/slice.c
test_scenario_SRCS := tests/unit/config/test_scenario.c hypervisor/config/scenario.c hypervisor/config/slice.c

FUZZERS += fuzz_acrn_conf
fuzz_acrn_conf_SRCS := tests/unit/config/fuzz_acrn_conf.c hypervisor/config/scenario.c hypervisor/config/slice.c
