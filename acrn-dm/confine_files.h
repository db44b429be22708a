/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of confine.h that Landlock does, where the kernel has it (5.13 and later). */
#pragma once

#include "confine.h"

/* Which files the calling thread, and those that it makes, may open from now on. Nothing happens without Landlock. */
void confine_files(enum confine_role role);
