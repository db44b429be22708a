/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ASSIGN_MMIODEV and DEASSIGN_MMIODEV by their ioctls: a page of device memory is a VM's for a while, and the Service
 * VM, where this runs as root, reads ones there. mmiodev ADDRESS; says one line, exit code 0 when all was as it must
 * be.
 */
#include <acrn/hsm.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096ul
#define GUEST_AT 0xF0000000ull
#define RAM 0x100000ull /* of the Service VM's */

static uint8_t request_page[PAGE] __attribute__((aligned(PAGE)));
static int hsm;

static void need(int ok, const char *what)
{
	if (ok)
		return;
	printf("%s: %s\n", what, strerror(errno));
	exit(1);
}

static uint32_t word_at(uint64_t at)
{
	int fd = open("/dev/mem", O_RDWR | O_SYNC);
	volatile uint32_t *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)at);
	uint32_t value;

	need(page != MAP_FAILED, "/dev/mem");
	value = *page;
	munmap((void *)(uintptr_t)page, PAGE);
	close(fd);
	return value;
}

static int assign(uint64_t at, uint64_t size)
{
	struct acrn_mmiodev dev = {
		.name = "test",
		.res[0] = { .user_vm_pa = GUEST_AT, .service_vm_pa = at, .size = size },
	};

	return ioctl(hsm, ACRN_IOCTL_ASSIGN_MMIODEV, &dev) == 0 ? 0 : errno;
}

static int deassign(uint64_t at)
{
	struct acrn_mmiodev dev = {
		.name = "test",
		.res[0] = { .user_vm_pa = GUEST_AT, .service_vm_pa = at, .size = PAGE },
	};

	return ioctl(hsm, ACRN_IOCTL_DEASSIGN_MMIODEV, &dev) == 0 ? 0 : errno;
}

int main(int argc, char **argv)
{
	struct acrn_vm_creation vm = { .name = "mmiodev", .ioreq_buf = (uintptr_t)request_page };
	uint64_t at = argc == 2 ? strtoull(argv[1], NULL, 0) : 0;
	uint32_t before;

	need(at != 0, "usage: mmiodev ADDRESS");
	hsm = open("/dev/acrn_hsm", O_RDWR);
	need(hsm >= 0 && ioctl(hsm, ACRN_IOCTL_CREATE_VM, &vm) == 0, "CREATE_VM");
	before = word_at(at);
	need(before != 0xffffffff, "nothing is there");
	need(assign(RAM, PAGE) != 0, "RAM was not refused");
	need(assign(at, 16) == EINVAL, "16 bytes were not refused");
	need(deassign(at) == EINVAL, "what was not assigned came back");
	need(assign(at, PAGE) == 0, "ASSIGN_MMIODEV");
	need(word_at(at) == 0xffffffff, "the Service VM still has it");
	need(assign(at, PAGE) != 0, "it was given away twice");
	need(deassign(at) == 0, "DEASSIGN_MMIODEV");
	need(word_at(at) == before, "the Service VM does not have it back");
	printf("given and returned, 0x%" PRIx32 "\n", before);
	return 0;
}
