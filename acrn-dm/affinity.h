/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the local APIC ids of --cpu_affinity to the hypervisor's CPU numbers, by the Service VM's MADT: CPU n
 * is the n-th enabled processor entry there. vCPU n of a VM runs on the n-th CPU of its bitmap, and has that
 * CPU's APIC id.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define AFFINITY_MAX_CPUS	64

struct affinity_cpus {
	unsigned int count;
	uint32_t apic_id[AFFINITY_MAX_CPUS];
};

/* Reads the enabled processors out of a MADT. Returns 0 or -EINVAL if it is malformed. */
int affinity_parse_madt(const uint8_t *madt, size_t len, struct affinity_cpus *cpus);
/* The same from the running system. Returns 0 or -errno. */
int affinity_read_host(struct affinity_cpus *cpus);
/* The APIC ids of the CPUs that /proc/cpuinfo lists, which are those on-line; at most max. Returns how many. */
unsigned int affinity_parse_cpuinfo(FILE *cpuinfo, uint64_t *ids, unsigned int max);
/* The same from the running system; 0 when it cannot be read. */
unsigned int affinity_read_online(uint64_t *ids, unsigned int max);
/*
 * The bitmap for n APIC ids. Returns 0, or -ENODEV and the id that no CPU has in *missing.
 */
int affinity_bitmap(const struct affinity_cpus *cpus, const uint64_t *ids, unsigned int n, uint64_t *bitmap,
		    uint64_t *missing);
