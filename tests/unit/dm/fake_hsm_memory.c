/* SPDX-License-Identifier: BSD-3-Clause */
/* The calls of hsm.h that memory.c makes. */
#include "dm/fake_hsm_memory.h"

#include <unistd.h>

#include "hsm.h"

struct fake_hsm_memory fake_hsm_memory;

static void count(uint64_t gpa, uint64_t len, unsigned int by)
{
	for (uint64_t i = gpa >> 21; i < (gpa + len) >> 21 && i < 64; i++)
		fake_hsm_memory.mapped[i] += by;
}

int hsm_map_ram(uint64_t gpa, void *hva, uint64_t len, uint32_t prot)
{
	(void)hva;
	(void)prot;
	usleep(fake_hsm_memory.slow_ms * 1000);
	if (!fake_hsm_memory.error)
		count(gpa, len, 1);
	return fake_hsm_memory.error;
}

int hsm_unmap_ram(uint64_t gpa, uint64_t len)
{
	if (!fake_hsm_memory.error)
		count(gpa, len, -1u);
	return fake_hsm_memory.error;
}

bool hsm_can_take_back(void)
{
	return fake_hsm_memory.can_take_back;
}

bool hsm_can_fetch(void)
{
	return fake_hsm_memory.can_fetch;
}

int hsm_fetch_range(uint64_t gpa, uint64_t len, uint64_t gpa2, uint64_t len2)
{
	(void)gpa;
	(void)gpa2;
	fake_hsm_memory.fetch_len = len + len2;
	return 0;
}
