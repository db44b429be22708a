/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * e_entry may be a virtual or a physical address; either is found in the segment that holds it.
 */
#include "elf.h"

#include "lib/string.h"
#include "lib/util.h"

#define ELF_ALIGN SIZE_2M
#define ELF_MAX_SIZE (64u << 20)
#define ELF_TYPE_EXEC 2
#define ELF_TYPE_DYN 3
#define ELF_MACHINE_X86_64 62
#define ELF_SEGMENT_LOAD 1

struct elf_header {
	uint8_t ident[16];
	uint16_t type;
	uint16_t machine;
	uint32_t version;
	uint64_t entry;
	uint64_t phoff;
	uint64_t shoff;
	uint32_t flags;
	uint16_t ehsize;
	uint16_t phentsize;
	uint16_t phnum;
	uint16_t shentsize;
	uint16_t shnum;
	uint16_t shstrndx;
};

struct elf_segment {
	uint32_t type;
	uint32_t flags;
	uint64_t offset;
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t filesz;
	uint64_t memsz;
	uint64_t align;
};

static const char *check_header(const struct elf_header *header, size_t size)
{
	static const uint8_t ident[] = {0x7f, 'E', 'L', 'F', 2 /* 64 bit */, 1 /* little-endian */};

	if (size < sizeof(*header) || memcmp(header->ident, ident, sizeof(ident)) != 0)
		return "it is not a 64-bit ELF file";
	if (header->machine != ELF_MACHINE_X86_64 || (header->type != ELF_TYPE_EXEC && header->type != ELF_TYPE_DYN))
		return "it is not a program for this kind of CPU";
	if (header->phentsize != sizeof(struct elf_segment) || header->phnum == 0 || header->phoff % 8 != 0 ||
	    !range_within(header->phoff, (uint64_t)header->phnum * sizeof(struct elf_segment), 0, size))
		return "its program headers are broken";
	return NULL;
}

static const struct elf_segment *segments_of(const struct elf_header *header)
{
	return (const void *)((const uint8_t *)header + header->phoff);
}

static const char *check_segment(const struct elf_segment *segment, size_t size)
{
	if (!range_within(segment->offset, segment->filesz, 0, size) || segment->filesz > segment->memsz)
		return "a segment lies outside the file";
	if (segment->memsz > ELF_MAX_SIZE || segment->paddr + segment->memsz < segment->paddr)
		return "a segment is larger than any hypervisor";
	return NULL;
}

/* The entry's physical address as the file counts, through the segment that holds it. */
static bool find_entry(const struct elf_header *header, uint64_t *physical)
{
	const struct elf_segment *segment = segments_of(header);
	uint16_t i;

	for (i = 0; i < header->phnum; i++, segment++) {
		if (segment->type != ELF_SEGMENT_LOAD)
			continue;
		*physical = header->entry;
		if (range_within(header->entry, 1, segment->paddr, segment->memsz))
			return true;
		*physical = header->entry - segment->vaddr + segment->paddr;
		if (range_within(header->entry, 1, segment->vaddr, segment->memsz))
			return true;
	}
	return false;
}

const char *elf_read(const void *file, size_t size, struct elf_layout *layout)
{
	const struct elf_header *header = file;
	const char *error = check_header(header, size);
	uint64_t low = UINT64_MAX;
	uint64_t high = 0;
	uint64_t entry;
	uint16_t i;

	for (i = 0; error == NULL && i < header->phnum; i++) {
		const struct elf_segment *segment = &segments_of(header)[i];

		if (segment->type != ELF_SEGMENT_LOAD || segment->memsz == 0)
			continue;
		error = check_segment(segment, size);
		low = MIN(low, segment->paddr);
		high = MAX(high, segment->paddr + segment->memsz);
	}
	if (error != NULL)
		return error;
	low = ALIGN_DOWN(low, ELF_ALIGN);
	if (high <= low || high - low > ELF_MAX_SIZE)
		return "its segments lie too far from each other";
	if (!find_entry(header, &entry))
		return "its entry lies outside its segments";
	*layout = (struct elf_layout){low, high - low, ELF_ALIGN, entry - low};
	return NULL;
}

void elf_place(const void *file, const struct elf_layout *layout, void *to)
{
	const struct elf_header *header = file;
	const struct elf_segment *segment = segments_of(header);
	uint16_t i;

	memset(to, 0, layout->size);
	for (i = 0; i < header->phnum; i++, segment++) {
		if (segment->type == ELF_SEGMENT_LOAD && segment->memsz != 0)
			memcpy((uint8_t *)to + (segment->paddr - layout->base), (const uint8_t *)file + segment->offset,
			       segment->filesz);
	}
}
