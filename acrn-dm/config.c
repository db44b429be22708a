/* SPDX-License-Identifier: BSD-3-Clause */
/* The one configuration of this process; a file of its own so that tests can link it without the parser. */
#include "config.h"

#include <string.h>

struct dm_config config = {
	.memory = 256ull << 20,
	.bootargs = "",
};

bool config_has_driver(const char *name)
{
	for (unsigned int i = 0; i < config.slot_count; i++)
		if (strcmp(config.slot[i].driver, name) == 0)
			return true;
	return false;
}
