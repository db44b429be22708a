// SPDX-License-Identifier: BSD-3-Clause
/* Guest memory: what is mapped is what was asked, to the page, and what may be mapped is pinned. */
#define _GNU_SOURCE
#include <acrn/hypercall.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "harness.h"

static void check_mapped(const struct vm *vm, uint64_t gpa, const void *va, unsigned long pages)
{
	for (unsigned long i = 0; i < pages; i++)
		CHECK_EQ(fake_mapped(vm, gpa + i * PAGE), frame_of((const char *)va + i * PAGE));
}

static long unset(const struct vm *vm, uint32_t type, uint64_t gpa, uint64_t len)
{
	struct acrn_memmap m = { .type = type, .user_vm_pa = gpa, .len = len };

	return iop(vm->fd, ACRN_IOCTL_UNSET_MEMSEG, &m);
}

/* Memory in which no two pages follow each other in physical memory, mostly. */
static char *scattered(unsigned long pages)
{
	char *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);

	CHECK(p != MAP_FAILED);
	madvise(p, pages * PAGE, MADV_NOHUGEPAGE);
	for (unsigned long i = 0; i < pages; i += 2)
		p[i * PAGE] = 1;
	for (unsigned long i = pages; i-- > 0;)
		p[i * PAGE] = 1;
	return p;
}

static void set_max_ops(const char *value)
{
	int fd = open("/sys/module/acrn_hsm/parameters/max_regions_per_call", O_WRONLY);

	CHECK(write(fd, value, strlen(value)) > 0);
	close(fd);
}

TEST(small, "RAM of 4-KiB pages: every page at its place, pinned until the file is closed")
{
	struct vm vm = vm_new(1);
	char *ram = scattered(300);
	long before = pinned();

	CHECK_EQ(set_ram(&vm, 0x100000, ram, 300 * PAGE), 0);
	CHECK_EQ(fake_mapped_pages(&vm), 300);
	check_mapped(&vm, 0x100000, ram, 300);
	CHECK_EQ(pinned(), before + 300);
	close(vm.fd);
	CHECK_EQ(pinned(), before - 1);
}

TEST(transparent, "RAM of transparent huge pages and of single ones, mixed")
{
	struct vm vm = vm_new(1);
	char *ram = mmap(NULL, 8 * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	madvise(ram, 8 * HUGE, MADV_HUGEPAGE);
	memset(ram, 1, 8 * HUGE);
	CHECK_EQ(set_ram(&vm, 0, ram + 3 * PAGE, 7 * HUGE), 0);
	CHECK_EQ(fake_mapped_pages(&vm), 7 * HUGE / PAGE);
	CHECK_EQ(fake_mapped(&vm, 0), frame_of(ram + 3 * PAGE));
	CHECK_EQ(fake_mapped(&vm, 5 * HUGE), frame_of(ram + 3 * PAGE + 5 * HUGE));
	CHECK_EQ(fake_mapped(&vm, 7 * HUGE - PAGE), frame_of(ram + 2 * PAGE + 7 * HUGE));
}

static char *hugetlb(unsigned long num)
{
	char *p;
	int fd = open("/proc/sys/vm/nr_hugepages", O_WRONLY);

	CHECK(write(fd, "16", 2) == 2);
	close(fd);
	p = mmap(NULL, num * HUGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	CHECK(p != MAP_FAILED);
	memset(p, 1, num * HUGE);
	return p;
}

TEST(huge, "RAM of 2-MiB pages: one operation a run of them")
{
	struct vm vm = vm_new(1);
	char *ram = hugetlb(4);

	CHECK_EQ(set_ram(&vm, 0, ram, 4 * HUGE), 0);
	CHECK_EQ(fake_mapped_pages(&vm), 4 * HUGE / PAGE);
	CHECK(fake_last(0x42)->detail[1] <= 4);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(fake_mapped(&vm, i * HUGE + 5 * PAGE), frame_of(ram + i * HUGE) + 5);
}

TEST(clipped, "a segment inside a 2-MiB page maps itself, not the whole page")
{
	struct vm vm = vm_new(1);
	char *ram = hugetlb(2);

	CHECK_EQ(set_ram(&vm, 0, ram + 7 * PAGE, PAGE), 0);
	CHECK_EQ(fake_mapped_pages(&vm), 1);
	CHECK_EQ(fake_mapped(&vm, 0), frame_of(ram) + 7);
	CHECK_EQ(set_ram(&vm, PAGE, ram + HUGE - PAGE, 2 * PAGE), 0);
	CHECK_EQ(fake_mapped_pages(&vm), 3);
	CHECK_EQ(fake_mapped(&vm, 2 * PAGE), frame_of(ram + HUGE));
}

TEST(batches, "at most 127 operations a hypercall, and all pages arrive")
{
	struct vm vm = vm_new(1);
	char *ram = scattered(2000);
	const struct fake_call *calls;
	unsigned int n;

	set_max_ops("3");
	CHECK_EQ(set_ram(&vm, 0, ram, 100 * PAGE), 0);
	set_max_ops("1000");
	CHECK_EQ(set_ram(&vm, HUGE, ram, 2000 * PAGE), 0);
	set_max_ops("127");
	CHECK_EQ(fake_mapped_pages(&vm), 2100);
	check_mapped(&vm, 0, ram, 100);
	CHECK_EQ(fake_mapped(&vm, HUGE + 1999 * PAGE), frame_of(ram + 1999 * PAGE));
	calls = fake_log(&n);
	while (n--)
		CHECK(calls[n].id != 0x42 || (calls[n].ret == 0 && calls[n].detail[1] <= 127));
}

TEST(overlap, "a segment over another says EEXIST; beside it is fine")
{
	struct vm vm = vm_new(1);
	char *ram = memory(16 * PAGE);
	long before;

	CHECK_EQ(set_ram(&vm, 8 * PAGE, ram, 4 * PAGE), 0);
	before = pinned();
	CHECK_EQ(set_ram(&vm, 8 * PAGE, ram, 4 * PAGE), -EEXIST);
	CHECK_EQ(set_ram(&vm, 0, ram, 9 * PAGE), -EEXIST);
	CHECK_EQ(set_ram(&vm, 11 * PAGE, ram, PAGE), -EEXIST);
	CHECK_EQ(set_ram(&vm, 9 * PAGE, ram, PAGE), -EEXIST);
	CHECK_EQ(pinned(), before);
	CHECK_EQ(set_ram(&vm, 12 * PAGE, ram, PAGE), 0);
	CHECK_EQ(set_ram(&vm, 0, ram, 8 * PAGE), 0);
}

TEST(rollback, "a segment that fails half-way is unmapped, and stays pinned until the VM's end")
{
	struct vm vm = vm_new(1);
	char *ram = scattered(64);
	long before = pinned();

	set_max_ops("4");
	FAKE("fail 0x42 %d 1 3", ENOMEM);
	CHECK_EQ(set_ram(&vm, 0, ram, 64 * PAGE), -ENOMEM);
	set_max_ops("127");
	CHECK_EQ(fake_mapped_pages(&vm), 0);
	CHECK_EQ(pinned(), before + 64);
	/* its place is free again */
	CHECK_EQ(set_ram(&vm, 0, ram, 64 * PAGE), 0);
	CHECK_EQ(fake_mapped_pages(&vm), 64);
	close(vm.fd);
	CHECK_EQ(pinned(), before - 1);
}

TEST(bad_pages, "CVE-2024-38610: only writable ordinary pages: read-only, holes, device memory: EFAULT")
{
	struct vm vm = vm_new(1);
	char *ram = memory(16 * PAGE);
	long before = pinned();
	int fd = open("/dev/mem", O_RDWR);
	void *bios = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0xF0000);

	CHECK(bios != MAP_FAILED);
	CHECK_EQ(set_ram(&vm, 0, bios, PAGE), -EFAULT);
	mprotect(ram + 8 * PAGE, PAGE, PROT_READ);
	CHECK_EQ(set_ram(&vm, 0, ram, 16 * PAGE), -EFAULT);
	munmap(ram + 8 * PAGE, PAGE);
	CHECK_EQ(set_ram(&vm, 0, ram, 16 * PAGE), -EFAULT);
	CHECK_EQ(set_ram(&vm, 0, (void *)0xFFFF888000000000, PAGE), -EFAULT);
	CHECK_EQ(pinned(), before);
	CHECK_EQ(fake_count(0x42), 0);
}

TEST(bad_words, "SET_MEMSEG and UNSET_MEMSEG: wrong type, length, alignment, overflow: EINVAL")
{
	struct vm vm = vm_new(1);
	char *ram = memory(4 * PAGE);
	static const struct acrn_memmap bad[] = {
		{ .type = 2, .len = PAGE },
		{ .len = 0 },
		{ .len = PAGE - 1 },
		{ .len = PAGE + 1 },
		{ .len = PAGE, .user_vm_pa = 8 },
		{ .len = PAGE, .user_vm_pa = 1ull << 52 },
		{ .len = 2 * PAGE, .user_vm_pa = (1ull << 52) - PAGE },
		{ .len = -PAGE, .user_vm_pa = 2 * PAGE },
	};

	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct acrn_memmap m = bad[i];

		m.vma_base = (uintptr_t)ram;
		CHECK_EQ(iop(vm.fd, ACRN_IOCTL_SET_MEMSEG, &m), -EINVAL);
		CHECK_EQ(iop(vm.fd, ACRN_IOCTL_UNSET_MEMSEG, &m), -EINVAL);
	}
	CHECK_EQ(set_ram(&vm, 0, ram + 8, PAGE), -EINVAL);
	CHECK_EQ(set_ram(&vm, 0, (void *)-PAGE, 2 * PAGE), -EINVAL);
	CHECK_EQ(fake_count(0x42), 0);
}

TEST(limit, "RLIMIT_MEMLOCK holds for the unprivileged, and is given back")
{
	struct rlimit lim = { 64 * PAGE, 64 * PAGE };
	struct vm vm = vm_new(1);
	char *ram = memory(65 * PAGE);

	setrlimit(RLIMIT_MEMLOCK, &lim);
	become_nobody();
	CHECK_EQ(set_ram(&vm, 0, ram, 65 * PAGE), -ENOMEM);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(set_ram(&vm, 0, ram, 64 * PAGE), 0);
		CHECK_EQ(number_in("/proc/self/status", "VmLck:"), 64 * PAGE / 1024);
		CHECK_EQ(set_ram(&vm, HUGE, ram, PAGE), -ENOMEM);
		CHECK_EQ(unset(&vm, ACRN_MEMMAP_RAM, 0, 64 * PAGE), 0);
		CHECK_EQ(number_in("/proc/self/status", "VmLck:"), 0);
	}
}

TEST(unset_ram, "UNSET_MEMSEG of type RAM takes back exactly one segment and unpins it")
{
	struct vm vm = vm_new(1);
	char *ram = memory(16 * PAGE);
	long before = pinned();

	CHECK_EQ(set_ram(&vm, 0, ram, 8 * PAGE), 0);
	CHECK_EQ(set_ram(&vm, 8 * PAGE, ram + 8 * PAGE, 8 * PAGE), 0);
	CHECK_EQ(unset(&vm, ACRN_MEMMAP_RAM, 0, 4 * PAGE), -EINVAL);
	CHECK_EQ(unset(&vm, ACRN_MEMMAP_RAM, 0, 16 * PAGE), -EINVAL);
	CHECK_EQ(unset(&vm, ACRN_MEMMAP_RAM, 64 * PAGE, PAGE), -EINVAL);
	FAKE("fail 0x42 %d 1 0", EPERM);
	CHECK_EQ(unset(&vm, ACRN_MEMMAP_RAM, 0, 8 * PAGE), -EPERM);
	CHECK_EQ(pinned(), before + 16);
	CHECK_EQ(unset(&vm, ACRN_MEMMAP_RAM, 0, 8 * PAGE), 0);
	CHECK_EQ(pinned(), before + 8);
	CHECK_EQ(fake_mapped_pages(&vm), 8);
	CHECK_EQ(fake_mapped(&vm, 0), 0);
}

TEST(fetch, "SET_MEMSEG of type FETCH needs a hypervisor that knows it, maps and pins nothing, cannot be unset")
{
	struct vm vm = vm_new(1);
	struct acrn_memmap m = { .type = ACRN_MEMMAP_FETCH, .user_vm_pa = 4 * PAGE, .len = 8 * PAGE };
	long before = pinned();

	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_SET_MEMSEG, &m), -EINVAL);
	CHECK_EQ(fake_count(0x42), 0);
	FAKE("extensions %u", ACRN_EXTENSION_FETCH);
	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_SET_MEMSEG, &m), 0);
	CHECK_EQ(fake_count(0x42), 1);
	CHECK_EQ(fake_mapped_pages(&vm), 0);
	CHECK_EQ(pinned(), before);
	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_UNSET_MEMSEG, &m), -EINVAL);
}

TEST(holes, "UNSET_MEMSEG of type MMIO punches a hole; the pages behind it stay pinned")
{
	struct vm vm = vm_new(1);
	char *ram = memory(16 * PAGE);
	long before = pinned();

	CHECK_EQ(set_ram(&vm, 0, ram, 16 * PAGE), 0);
	CHECK_EQ(unset(&vm, ACRN_MEMMAP_MMIO, 4 * PAGE, 2 * PAGE), 0);
	CHECK_EQ(fake_mapped_pages(&vm), 14);
	CHECK_EQ(fake_mapped(&vm, 5 * PAGE), 0);
	CHECK_EQ(fake_mapped(&vm, 6 * PAGE), frame_of(ram + 6 * PAGE));
	CHECK_EQ(pinned(), before + 16);
}

TEST(mmio, "SET_MEMSEG of type MMIO: device addresses, for the privileged, never RAM")
{
	struct vm vm = vm_new(1);
	struct acrn_memmap m = {
		.type = ACRN_MEMMAP_MMIO, .attr = ACRN_MEM_READ | ACRN_MEM_WRITE,
		.user_vm_pa = 0xE0000000, .service_vm_pa = 0xFED00000, .len = PAGE };
	char *ram = memory(PAGE);

	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_SET_MEMSEG, &m), 0);
	CHECK_EQ(fake_mapped(&vm, 0xE0000000), 0xFED00);
	m.user_vm_pa += PAGE;
	m.service_vm_pa = frame_of(ram) * PAGE;
	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_SET_MEMSEG, &m), -EPERM);
	m.service_vm_pa = 0xFED00008;
	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_SET_MEMSEG, &m), -EINVAL);
	m.service_vm_pa = -PAGE;
	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_SET_MEMSEG, &m), -EINVAL);
	become_nobody();
	m.service_vm_pa = 0xFED00000;
	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_SET_MEMSEG, &m), -EPERM);
	CHECK_EQ(unset(&vm, ACRN_MEMMAP_MMIO, 0xE0000000, PAGE), 0);
}
