/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Guest memory is one anonymous mapping in two segments, at one place for the life of the process: pages are
 * pinned while a VM has them. Ordinary pages do; huge pages are asked for by advice, or taken from those set aside.
 */
#include "memory.h"

#include <errno.h>
#include <linux/mman.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "hsm.h"
#include "log.h"

#define HUGE_ALIGN	(2ull << 20)
#define MAP_STEP	(1ull << 30)
#define PIECES_MAX	8192u	/* of a large VM they are larger */

static struct {
	uint8_t *raw;		/* the whole mapping, for munmap */
	size_t raw_len;
	uint8_t *base;		/* 2 MiB aligned */
	uint64_t low, high;
} mem;

/* What the guest lacks; size 0: it has been given its memory as a whole. */
static struct {
	pthread_mutex_t lock;
	uint64_t size;
	uint64_t taken;		/* bytes; atomic access */
	bool *missing;		/* by piece */
} pieces = { .lock = PTHREAD_MUTEX_INITIALIZER };

int memory_init(uint64_t size, bool hugetlb)
{
	/* a mapping of huge pages begins at one, and they are counted now: later there is only SIGBUS */
	size_t len = hugetlb ? size : size + HUGE_ALIGN;
	int flags = hugetlb ? MAP_HUGETLB | MAP_HUGE_2MB : MAP_NORESERVE;
	uint8_t *raw = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	if (raw == MAP_FAILED)
		return -errno;
	mem.raw = raw;
	mem.raw_len = len;
	mem.base = raw + (-(uintptr_t)raw & (HUGE_ALIGN - 1));
	mem.low = size < MEM_LOW_LIMIT ? size : MEM_LOW_LIMIT;
	mem.high = size - mem.low;
	if (!hugetlb && madvise(mem.base, size, MADV_HUGEPAGE) != 0)
		log_debug("no transparent huge pages here: %s", strerror(errno));
	/* Pinned pages and fork() do not go together. */
	if (madvise(mem.base, size, MADV_DONTFORK) != 0 || madvise(mem.base, size, MADV_DONTDUMP) != 0)
		log_debug("madvise: %s", strerror(errno));
	return 0;
}

/* Where the piece that holds offset begins, and its length: the last one may be short. */
static uint64_t piece_at(uint64_t offset, uint64_t *len)
{
	uint64_t start = offset & ~(pieces.size - 1), left = mem.low + mem.high - start;

	*len = left < pieces.size ? left : pieces.size;
	return start;
}

static uint64_t gpa_of(uint64_t offset)
{
	return offset < mem.low ? offset : MEM_HIGH_BASE + (offset - mem.low);
}

static int map_piece(uint64_t start, uint64_t len)
{
	return hsm_map_ram(gpa_of(start), mem.base + start, len, 7);
}

/* All memory, by steps of a power of two. Pinning can take a while: then it says how far it is, each second. */
static int map_by(uint64_t step)
{
	uint64_t total = mem.low + mem.high, len;
	time_t told = time(NULL);
	int err = 0;

	for (uint64_t at = 0; at < total && !err; at += len) {
		uint64_t end = at < mem.low ? mem.low : total;

		if (time(NULL) > told + 1) {
			told = time(NULL);
			log_notice("the VM has %llu of %llu MiB of its memory", (unsigned long long)at >> 20,
				   (unsigned long long)total >> 20);
		}
		len = end - at < step ? end - at : step;
		err = map_piece(at, len);
	}
	return err;
}

/* Threads without capabilities pin the pieces that come again, so the limit is for them too. */
static void raise_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_MEMLOCK, &r) != 0 || r.rlim_cur == RLIM_INFINITY)
		return;
	r = (struct rlimit){ RLIM_INFINITY, RLIM_INFINITY };
	if (setrlimit(RLIMIT_MEMLOCK, &r) != 0)
		log_debug("the limit on pinned memory stays: %s", strerror(errno));
}

static int map_pieces(void)
{
	uint64_t size = HUGE_ALIGN, total = mem.low + mem.high;
	int err;

	while (total / size > PIECES_MAX)
		size *= 2;
	pieces.missing = calloc(total / size + 1, sizeof(*pieces.missing));
	if (!pieces.missing)
		return -ENOMEM;
	pieces.size = size;
	raise_limit();
	err = map_by(size);
	return err ? err : hsm_fetch_range(0, mem.low, MEM_HIGH_BASE, mem.high);
}

int memory_map_guest(bool in_pieces)
{
	return in_pieces && hsm_can_take_back() ? map_pieces() : map_by(MAP_STEP);
}

void memory_exit(void)
{
	if (mem.raw)
		munmap(mem.raw, mem.raw_len);
	memset(&mem, 0, sizeof(mem));
	free(pieces.missing);
	pieces.missing = NULL;
	pieces.size = pieces.taken = 0;
}

uint64_t mem_offset(const void *p)
{
	return (uint64_t)((const uint8_t *)p - mem.base);
}

uint64_t mem_piece_size(void)
{
	return pieces.size;
}

uint64_t mem_taken(void)
{
	return __atomic_load_n(&pieces.taken, __ATOMIC_RELAXED);
}

/* The guest first, then the pages: nobody but us may have them when they go. */
static int take(uint64_t start, uint64_t len)
{
	int err = hsm_unmap_ram(gpa_of(start), len);

	if (!err && madvise(mem.base + start, len, MADV_DONTNEED) != 0)
		log_err("memory of the guest cannot be given back: %s", strerror(errno));
	return err;
}

static int set_missing(uint64_t offset, bool missing)
{
	uint64_t len, start = piece_at(offset, &len);
	bool *now = &pieces.missing[start / pieces.size];
	int err = 0;

	pthread_mutex_lock(&pieces.lock);
	if (*now != missing)
		err = missing ? take(start, len) : map_piece(start, len);
	if (!err && *now != missing) {
		*now = missing;
		__atomic_store_n(&pieces.taken, missing ? pieces.taken + len : pieces.taken - len, __ATOMIC_RELAXED);
	}
	pthread_mutex_unlock(&pieces.lock);
	return err;
}

int mem_take(uint64_t offset)
{
	return set_missing(offset, true);
}

int mem_give(uint64_t offset)
{
	return set_missing(offset, false);
}

int mem_give_all(void)
{
	int err = 0;

	for (uint64_t at = 0; mem_taken() && at < mem.low + mem.high && !err; at += pieces.size)
		err = mem_give(at);
	return err;
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
