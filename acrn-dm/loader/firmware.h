/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The files of a UEFI firmware: one image, or code and variables apart. The variables always lie directly below the
 * code, and the code ends at 4 GiB.
 */
#pragma once

#include <stdint.h>

struct acrn_vcpu_regs;

/*
 * Opens and checks what --ovmf names, and locks the variables where they are to be written. Returns 0 or -errno
 * (logged). firmware_close() is due in any case.
 */
int firmware_open(void);
void firmware_close(void);
/* Bytes of both together, and of the variables at their beginning (0: none are found in a single image). */
void firmware_sizes(uint32_t *all, uint32_t *vars);
/* Reads everything to buf. Returns 0 or -errno (logged). */
int firmware_read(uint8_t *buf);
/* Writes len bytes from vars + offset to their file, if changes are to be kept; a failure is logged. */
void firmware_write_vars(const uint8_t *vars, uint32_t offset, uint32_t len);
/* Where a processor begins after RESET. Machine acrn: also leaves the memory map where its firmware looks. */
int firmware_start(struct acrn_vcpu_regs *regs);
