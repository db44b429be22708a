/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * The hypervisor that acrn.efi carries in its section .hv.
 */
#pragma once

#include "stub.h"

/* Checks the image and places it on a 2 MiB boundary below 4 GiB. */
EFI_STATUS hypervisor_place(struct stub *stub);

/* Enters it as a Multiboot2 loader would, but in 64-bit mode, interrupts off. No way back. */
void hypervisor_enter(const struct stub *stub) __attribute__((noreturn));
