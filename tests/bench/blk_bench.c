/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ticks of a read from a disk, past the guest's page cache: 4 KiB one after the other, and 1 MiB. Runs in a User VM and
 * says "BENCH r4k TICKS" and "BENCH r1m TICKS", each for one read. blk_bench DISK
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <x86intrin.h>

#define DISK_SIZE	(16u << 20)

static void *buffer;

/* The mean of n reads of that length, after one that is not counted. */
static uint64_t measure(int fd, size_t len, unsigned int n)
{
	uint64_t from = 0;

	for (unsigned int i = 0; i <= n; i++) {
		if (i == 1)
			from = __rdtsc();
		if (pread(fd, buffer, len, (off_t)(i * len % DISK_SIZE)) != (ssize_t)len) {
			perror("blk_bench: read");
			exit(1);
		}
	}
	return (__rdtsc() - from) / n;
}

int main(int argc, char **argv)
{
	int fd = argc == 2 ? open(argv[1], O_RDONLY | O_DIRECT) : -1;

	if (fd < 0 || posix_memalign(&buffer, 4096, 1u << 20) != 0) {
		fprintf(stderr, "blk_bench: a disk that can be opened is missing\n");
		return 1;
	}
	printf("BENCH r4k %llu\n", (unsigned long long)measure(fd, 4096, 500));
	printf("BENCH r1m %llu\n", (unsigned long long)measure(fd, 1u << 20, 30));
	return 0;
}
