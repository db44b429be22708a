/* SPDX-License-Identifier: BSD-3-Clause */
/* The one configuration of this process; a file of its own so that tests can link it without the parser. */
#include "config.h"

struct dm_config config = {
	.memory = 256ull << 20,
	.bootargs = "",
};
