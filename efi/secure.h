/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Secure Boot: the firmware has verified acrn.efi; what acrn.efi starts and obeys has to be verified in turn.
 */
#pragma once

#include "stub.h"

/* Whether shim started us. */
bool secure_has_shim(struct stub *stub);

/* Whether the firmware is in Secure Boot mode. */
bool secure_is_on(struct stub *stub);

/* The kernel was signed by a key that shim, or without shim the firmware, trusts. True when Secure Boot is off. */
bool secure_accepts(struct stub *stub, const struct stub_file *kernel);
