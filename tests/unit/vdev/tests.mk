# SPDX-License-Identifier: BSD-3-Clause
# Unit tests of hypervisor/vdev.
vdev_vlapic_ALL := hypervisor/vdev/vlapic.c hypervisor/vdev/vlapic_regs.c \
	hypervisor/vdev/vlapic_timer.c hypervisor/vdev/vlapic_icr.c hypervisor/vdev/apic_bus.c \
	tests/unit/vdev/rig.c tests/unit/fake/log.c

UNIT_TESTS += vdev_io_bus
vdev_io_bus_SRCS := tests/unit/vdev/test_io_bus.c hypervisor/vdev/io_bus.c

UNIT_TESTS += vdev_doorbell
vdev_doorbell_SRCS := tests/unit/vdev/test_doorbell.c hypervisor/vdev/doorbell.c

UNIT_TESTS += vdev_vlapic
vdev_vlapic_SRCS := tests/unit/vdev/test_vlapic.c $(vdev_vlapic_ALL)

UNIT_TESTS += vdev_vlapic_timer
vdev_vlapic_timer_SRCS := tests/unit/vdev/test_vlapic_timer.c $(vdev_vlapic_ALL)

UNIT_TESTS += vdev_apic_bus
vdev_apic_bus_SRCS := tests/unit/vdev/test_apic_bus.c $(vdev_vlapic_ALL)

UNIT_TESTS += vdev_vioapic
vdev_vioapic_SRCS := tests/unit/vdev/test_vioapic.c hypervisor/vdev/vioapic.c $(vdev_vlapic_ALL)

UNIT_TESTS += vdev_vpic
vdev_vpic_SRCS := tests/unit/vdev/test_vpic.c hypervisor/vdev/vpic.c hypervisor/vdev/io_bus.c


UNIT_TESTS += vdev_vuart
vdev_vuart_SRCS := tests/unit/vdev/test_vuart.c hypervisor/vdev/vuart.c hypervisor/vdev/io_bus.c

UNIT_TESTS += vdev_vpci
vdev_vpci_SRCS := tests/unit/vdev/test_vpci.c hypervisor/vdev/vpci.c hypervisor/vdev/io_bus.c

UNIT_TESTS += vdev_vpci_passthru
vdev_vpci_passthru_SRCS := tests/unit/vdev/test_vpci_passthru.c hypervisor/vdev/vpci_passthru.c

UNIT_TESTS += vdev_vpci_msix
vdev_vpci_msix_SRCS := tests/unit/vdev/test_vpci_msix.c hypervisor/vdev/vpci_msix.c

# Threads, so the thread sanitizer instead of the address sanitizer, which cannot be had together.
UNIT_TESTS += vdev_races
vdev_races_SRCS := tests/unit/vdev/test_races.c $(filter-out %rig.c,$(vdev_vlapic_ALL)) \
	hypervisor/vdev/vioapic.c hypervisor/vdev/vpic.c hypervisor/vdev/vuart.c \
	hypervisor/vdev/io_bus.c
vdev_races_CFLAGS := -fno-sanitize=all -fsanitize=thread -pthread
vdev_races_LIBS := -fno-sanitize=all -fsanitize=thread -pthread

FUZZERS += fuzz_apic
fuzz_apic_SRCS := tests/unit/vdev/fuzz_apic.c $(filter-out %rig.c,$(vdev_vlapic_ALL)) \
	hypervisor/vdev/vioapic.c tests/unit/fake/panic_abort.c
