/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * efi_variable FILE GUID NAME ATTRIBUTES <DATA: puts a variable into a file of OVMF's variables, behind those that are
 * there. Only for tests: it neither looks for one of that name nor spares the flash.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define DATA_MAX	65536
#define HEADER_LENGTH	48	/* where a firmware volume says how long its header is */
#define STORE_HEADER	28	/* guid, size, format, state, reserved */
#define START		0x55aa
#define ADDED		0x3f

/* UEFI's authenticated variables, as edk2 lays them out. */
struct variable {
	uint16_t start;
	uint8_t state, reserved;
	uint32_t attributes;
	uint64_t count;
	uint8_t time[16];
	uint32_t key, name_size, data_size;
	uint8_t guid[16];
} __attribute__((packed));

static int fail(const char *what)
{
	fprintf(stderr, "efi_variable: %s\n", what);
	return 1;
}

static int read_guid(const char *text, uint8_t *guid)
{
	static const int order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
	unsigned int byte;

	for (int i = 0; i < 16; i++) {
		text += *text == '-';
		if (sscanf(text, "%2x", &byte) != 1)
			return -1;
		guid[order[i]] = (uint8_t)byte;
		text += 2;
	}
	return *text ? -1 : 0;
}

static size_t aligned(size_t at)
{
	return (at + 3) & ~(size_t)3;
}

int main(int argc, char **argv)
{
	static uint8_t data[DATA_MAX];
	struct variable v = { .start = START, .state = ADDED };
	size_t at, end, size = fread(data, 1, sizeof(data), stdin);
	struct stat st;
	uint8_t *map;
	int fd;

	if (argc != 5 || read_guid(argv[2], v.guid) < 0)
		return fail("usage: efi_variable FILE GUID NAME ATTRIBUTES <DATA");
	fd = open(argv[1], O_RDWR);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail(strerror(errno));
	map = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED || memcmp(map + 40, "_FVH", 4) != 0)
		return fail("that is no firmware volume");
	at = map[HEADER_LENGTH] | (size_t)map[HEADER_LENGTH + 1] << 8;
	end = at + *(uint32_t *)(map + at + 16);
	for (at = aligned(at + STORE_HEADER); at + sizeof(v) <= end;) {
		const struct variable *there = (const void *)(map + at);

		if (there->start != START)
			break;
		at = aligned(at + sizeof(v) + there->name_size + there->data_size);
	}
	v.attributes = (uint32_t)strtoul(argv[4], NULL, 0);
	v.name_size = (uint32_t)(2 * strlen(argv[3]) + 2);
	v.data_size = (uint32_t)size;
	if (at + sizeof(v) + v.name_size + size > end)
		return fail("there is no room");
	memcpy(map + at, &v, sizeof(v));
	at += sizeof(v);
	for (size_t i = 0; i <= strlen(argv[3]); i++) {
		map[at++] = (uint8_t)argv[3][i];
		map[at++] = 0;
	}
	memcpy(map + at, data, size);
	return 0;
}
