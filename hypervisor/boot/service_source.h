/* SPDX-License-Identifier: BSD-3-Clause */
/* From acrn.conf and the boot modules to the kernel that the Service VM starts. */
#pragma once

#include "boot/boot_info.h"
#include "config/scenario.h"
#include "vm/load_bzimage.h"

/* Static memory, filled anew at each call. Panics with a sentence when there is no kernel. */
struct bzimage_source *service_source(const struct scenario *scenario,
				      const struct boot_info *boot);
