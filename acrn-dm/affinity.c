/* SPDX-License-Identifier: BSD-3-Clause */
/* The processors of the machine, out of the MADT that sysfs shows. */
#include "affinity.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define MADT_PATH	"/sys/firmware/acpi/tables/APIC"
#define CPUINFO_PATH	"/proc/cpuinfo"
#define MADT_ENTRIES	44
#define TYPE_LAPIC	0
#define TYPE_X2APIC	9

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* One entry; true if it is an enabled processor. */
static int is_cpu(const uint8_t *e, uint8_t len, uint32_t *id)
{
	if (e[0] == TYPE_LAPIC && len >= 8) {
		*id = e[3];
		return get32(e + 4) & 1;
	}
	if (e[0] == TYPE_X2APIC && len >= 16) {
		*id = get32(e + 4);
		return get32(e + 8) & 1;
	}
	return 0;
}

int affinity_parse_madt(const uint8_t *madt, size_t len, struct affinity_cpus *cpus)
{
	size_t at = MADT_ENTRIES;
	uint32_t id;

	cpus->count = 0;
	if (len < MADT_ENTRIES || memcmp(madt, "APIC", 4) != 0 || get32(madt + 4) > len)
		return -EINVAL;
	len = get32(madt + 4);
	while (at + 2 <= len) {
		uint8_t size = madt[at + 1];

		if (size < 2 || size > len - at)
			return -EINVAL;
		if (is_cpu(madt + at, size, &id) && cpus->count < AFFINITY_MAX_CPUS)
			cpus->apic_id[cpus->count++] = id;
		at += size;
	}
	return 0;
}

int affinity_read_host(struct affinity_cpus *cpus)
{
	uint8_t madt[16384];
	size_t len = 0;
	ssize_t n;
	int fd = open(MADT_PATH, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	while (len < sizeof(madt) && (n = read(fd, madt + len, sizeof(madt) - len)) > 0)
		len += (size_t)n;
	close(fd);
	return affinity_parse_madt(madt, len, cpus);
}

unsigned int affinity_parse_cpuinfo(FILE *cpuinfo, uint64_t *ids, unsigned int max)
{
	unsigned int n = 0;
	char line[256];
	unsigned long id;

	while (n < max && fgets(line, sizeof(line), cpuinfo))
		if (sscanf(line, "apicid : %lu", &id) == 1)
			ids[n++] = id;
	return n;
}

unsigned int affinity_read_online(uint64_t *ids, unsigned int max)
{
	FILE *cpuinfo = fopen(CPUINFO_PATH, "re");
	unsigned int n;

	if (!cpuinfo)
		return 0;
	n = affinity_parse_cpuinfo(cpuinfo, ids, max);
	fclose(cpuinfo);
	return n;
}

int affinity_bitmap(const struct affinity_cpus *cpus, const uint64_t *ids, unsigned int n, uint64_t *bitmap,
		    uint64_t *missing)
{
	*bitmap = 0;
	for (unsigned int i = 0; i < n; i++) {
		unsigned int cpu = 0;

		while (cpu < cpus->count && cpus->apic_id[cpu] != ids[i])
			cpu++;
		if (cpu == cpus->count) {
			*missing = ids[i];
			return -ENODEV;
		}
		*bitmap |= 1ull << cpu;
	}
	return 0;
}
