/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * What the hypervisor must know of the firmware, and the step out of it.
 */
#pragma once

#include "stub.h"

/* Whether enough memory is left for the hypervisor's pool and the Service VM's kernel. */
EFI_STATUS firmware_check_memory(struct stub *stub);

/* Starts the information block: modules, ACPI, system table, screen. */
EFI_STATUS firmware_describe(struct stub *stub);

/*
 * Takes the memory map, ends boot services and finishes the block. After success nothing of the
 * firmware but its runtime services may be called.
 */
EFI_STATUS firmware_leave(struct stub *stub);
