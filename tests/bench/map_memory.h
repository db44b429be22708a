/* SPDX-License-Identifier: BSD-3-Clause */
/* The memory that both sides of make bench map for a device: filled before, of 2 MiB pages or of 4 KiB pages. */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MAP_SIZE (256ul << 20)
#define MAP_GIB (1ul << 30)
#define MAP_ALIGN (2ul << 20)

/* MAP_SIZE bytes; never given back as a whole (MAP_ALIGN more are mapped). Ends the program on an error. */
static inline void *map_memory(int is_huge)
{
	uint8_t *raw = mmap(NULL, MAP_SIZE + MAP_ALIGN, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *memory = raw + (-(uintptr_t)raw & (MAP_ALIGN - 1));

	if (raw == MAP_FAILED || madvise(memory, MAP_SIZE, is_huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE) != 0) {
		perror("memory to map");
		exit(1);
	}
	for (uint64_t at = 0; at < MAP_SIZE; at += 4096)
		memory[at] = 1;
	return memory;
}

static inline void map_say(const char *what, int is_huge, uint64_t ticks)
{
	printf("BENCH %s-%s %llu\n", what, is_huge ? "2m" : "4k",
	       (unsigned long long)(ticks * (MAP_GIB / MAP_SIZE)));
	fflush(stdout);
}
