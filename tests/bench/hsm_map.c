/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ticks that a VM's memory costs, a GiB, when the VM has a device: pinned, mapped for its CPUs and for the device, and
 * all of it undone. hsm_map BDF, in hexadecimal: bus, device and function of a
 * device that was taken, as the 16 bits of its requests; it is not reset. Says "BENCH map-2m TICKS" and the like.
 */
#include <acrn/hsm.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <x86intrin.h>

#include "map_memory.h"

static uint8_t request_page[4096] __attribute__((aligned(4096)));

static void need(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static void measure(uint16_t bdf, int is_huge)
{
	struct acrn_vm_creation vm = { .name = "map", .ioreq_buf = (uintptr_t)request_page };
	struct acrn_pcidev dev = {
		.type = ACRN_PCIDEV_NO_RESET, .virt_bdf = 0x28, .phys_bdf = bdf, .bar = { 0x80000000 },
	};
	void *memory = map_memory(is_huge);
	struct acrn_memmap map = { .type = ACRN_MEMMAP_RAM, .attr = 7, .vma_base = (uintptr_t)memory, .len = MAP_SIZE };
	int hsm = open("/dev/acrn_hsm", O_RDWR);
	uint64_t start, mapped, end;

	need(hsm >= 0 && ioctl(hsm, ACRN_IOCTL_CREATE_VM, &vm) == 0, "CREATE_VM");
	start = __rdtsc();
	need(ioctl(hsm, ACRN_IOCTL_SET_MEMSEG, &map) == 0, "SET_MEMSEG");
	need(ioctl(hsm, ACRN_IOCTL_ASSIGN_PCIDEV, &dev) == 0, "ASSIGN_PCIDEV");
	mapped = __rdtsc();
	need(ioctl(hsm, ACRN_IOCTL_DEASSIGN_PCIDEV, &dev) == 0, "DEASSIGN_PCIDEV");
	need(ioctl(hsm, ACRN_IOCTL_UNSET_MEMSEG, &map) == 0, "UNSET_MEMSEG");
	end = __rdtsc();
	map_say("map", is_huge, mapped - start);
	map_say("unmap", is_huge, end - mapped);
	close(hsm);
	munmap(memory, MAP_SIZE);
}

int main(int argc, char **argv)
{
	uint16_t bdf = argc == 2 ? (uint16_t)strtoul(argv[1], NULL, 16) : 0;

	if (bdf == 0) {
		fprintf(stderr, "usage: hsm_map BDF\n");
		return 1;
	}
	measure(bdf, 1);
	measure(bdf, 0);
	return 0;
}
