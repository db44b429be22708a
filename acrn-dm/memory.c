/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Guest memory is one anonymous mapping in two segments, at one place for the life of the process: pages are
 * pinned while a VM has them. Ordinary pages do; huge pages are asked for by advice.
 */
#include "memory.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hsm.h"
#include "log.h"

#define HUGE_ALIGN	(2ull << 20)

static struct {
	uint8_t *raw;		/* the whole mapping, for munmap */
	size_t raw_len;
	uint8_t *base;		/* 2 MiB aligned */
	uint64_t low, high;
} mem;

int memory_init(uint64_t size)
{
	uint8_t *raw = mmap(NULL, size + HUGE_ALIGN, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (raw == MAP_FAILED)
		return -errno;
	mem.raw = raw;
	mem.raw_len = size + HUGE_ALIGN;
	mem.base = raw + (-(uintptr_t)raw & (HUGE_ALIGN - 1));
	mem.low = size < MEM_LOW_LIMIT ? size : MEM_LOW_LIMIT;
	mem.high = size - mem.low;
	if (madvise(mem.base, size, MADV_HUGEPAGE) != 0)
		log_debug("no transparent huge pages here: %s", strerror(errno));
	/* Pinned pages and fork() do not go together. */
	if (madvise(mem.base, size, MADV_DONTFORK) != 0 || madvise(mem.base, size, MADV_DONTDUMP) != 0)
		log_debug("madvise: %s", strerror(errno));
	return 0;
}

int memory_map_guest(void)
{
	int err = hsm_map_ram(0, mem.base, mem.low, 7);

	if (!err && mem.high)
		err = hsm_map_ram(MEM_HIGH_BASE, mem.base + mem.low, mem.high, 7);
	return err;
}

void memory_exit(void)
{
	if (mem.raw)
		munmap(mem.raw, mem.raw_len);
	memset(&mem, 0, sizeof(mem));
}

uint64_t mem_lowmem(void)
{
	return mem.low;
}

uint64_t mem_highmem(void)
{
	return mem.high;
}

void *mem_ptr(uint64_t gpa, size_t len)
{
	if (gpa < mem.low && len <= mem.low - gpa)
		return mem.base + gpa;
	if (gpa >= MEM_HIGH_BASE && gpa - MEM_HIGH_BASE < mem.high && len <= mem.high - (gpa - MEM_HIGH_BASE))
		return mem.base + mem.low + (gpa - MEM_HIGH_BASE);
	return NULL;
}

bool mem_iov(uint64_t gpa, size_t len, struct iovec *iov, unsigned int *cnt, unsigned int max)
{
	void *p;

	if (len == 0)
		return true;
	p = mem_ptr(gpa, len);
	if (!p || *cnt >= max)
		return false;
	iov[*cnt] = (struct iovec){ p, len };
	(*cnt)++;
	return true;
}

bool mem_read(uint64_t gpa, void *to, size_t len)
{
	const void *p = mem_ptr(gpa, len);

	if (p)
		memcpy(to, p, len);
	return p != NULL;
}

bool mem_write(uint64_t gpa, const void *from, size_t len)
{
	void *p = mem_ptr(gpa, len);

	if (p)
		memcpy(p, from, len);
	return p != NULL;
}
