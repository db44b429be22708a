/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * acrn.conf and the files it names.
 */
#pragma once

#include "stub.h"

/*
 * Reads and checks acrn.conf: beside acrn.efi, or where the load options say (one word: a path,
 * from that folder or from the volume's root).
 */
EFI_STATUS conf_read(struct stub *stub);

/* Read what [service-vm] names; errors name the line that asks for the file. */
EFI_STATUS conf_load_kernel(struct stub *stub);
EFI_STATUS conf_load_initrd(struct stub *stub);
