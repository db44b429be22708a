# SPDX-License-Identifier: BSD-3-Clause

ACPI := $(patsubst %,hypervisor/hw/acpi/%.c,parse rsdp table madt mcfg fadt hpet dmar iommu_table ivrs aml hide)

UNIT_TESTS += acpi_tables
acpi_tables_SRCS := tests/unit/acpi/test_acpi.c $(ACPI) tests/unit/fake/log.c

FUZZERS += fuzz_acpi
fuzz_acpi_SRCS := tests/unit/acpi/fuzz_acpi.c $(ACPI) tests/unit/fake/log.c
