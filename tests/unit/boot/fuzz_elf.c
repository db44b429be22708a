/* SPDX-License-Identifier: BSD-3-Clause */
/* Any bytes as the hypervisor's image: what elf_read accepts, elf_place copies within its bounds. */
#include <stdlib.h>
#include <string.h>

#include "elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_layout layout;
	uint8_t *copy = malloc(size + (size == 0));
	uint8_t *to;

	memcpy(copy, data, size);
	if (elf_read(copy, size, &layout) == NULL && layout.size <= 1 << 20) {
		to = malloc(layout.size);
		elf_place(copy, &layout, to);
		if (layout.entry >= layout.size)
			abort();
		free(to);
	}
	free(copy);
	return 0;
}
