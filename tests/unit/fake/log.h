/* SPDX-License-Identifier: BSD-3-Clause */
/* What a test can ask of the fake log. */
#pragma once

#include "lib/log.h"

extern unsigned int fake_log_lines; /* since the start, of every level */
extern char fake_log_last[256];     /* text of the last line */
