/* SPDX-License-Identifier: BSD-3-Clause */
/* VFIO's old interface (container, group, device), as Debian 12 has it. */
#include "kvm_vfio.h"

#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <x86intrin.h>

#include "map_memory.h"

#define GUEST_BAR 0xe0000000ull
#define VECTOR 0x50
#define GSI 24
#define TEST_AT (1ull << 40)
#define COMMAND 4
#define MEMORY_AND_MASTER 6

static void need(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static int open_device(const char *name, int *container)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char link[256], target[256] = "", path[300];
	int group, device;

	snprintf(link, sizeof(link), "/sys/bus/pci/devices/%s/iommu_group", name);
	need(readlink(link, target, sizeof(target) - 1) > 0, link);
	snprintf(path, sizeof(path), "/dev/vfio/%s", strrchr(target, '/') + 1);
	*container = open("/dev/vfio/vfio", O_RDWR);
	group = open(path, O_RDWR);
	need(*container >= 0 && group >= 0, path);
	need(ioctl(group, VFIO_GROUP_GET_STATUS, &status) == 0 && status.flags & VFIO_GROUP_FLAGS_VIABLE, "the group");
	need(ioctl(group, VFIO_GROUP_SET_CONTAINER, container) == 0, "VFIO_GROUP_SET_CONTAINER");
	need(ioctl(*container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) == 0, "VFIO_SET_IOMMU");
	device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, name);
	need(device >= 0, "VFIO_GROUP_GET_DEVICE_FD");
	return device;
}

static void map(int container, void *memory, uint64_t at, uint64_t size)
{
	struct vfio_iommu_type1_dma_map dma = {
		.argsz = sizeof(dma),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)memory,
		.iova = at,
		.size = size,
	};

	need(ioctl(container, VFIO_IOMMU_MAP_DMA, &dma) == 0, "VFIO_IOMMU_MAP_DMA");
}

static void unmap(int container, uint64_t at, uint64_t size)
{
	struct vfio_iommu_type1_dma_unmap dma = { .argsz = sizeof(dma), .iova = at, .size = size };

	need(ioctl(container, VFIO_IOMMU_UNMAP_DMA, &dma) == 0 && dma.size == size, "VFIO_IOMMU_UNMAP_DMA");
}

static void measure(int container, int is_huge)
{
	void *memory = map_memory(is_huge);
	uint64_t start = __rdtsc(), mapped, end;

	map(container, memory, TEST_AT, MAP_SIZE);
	mapped = __rdtsc();
	unmap(container, TEST_AT, MAP_SIZE);
	end = __rdtsc();
	map_say("map", is_huge, mapped - start);
	map_say("unmap", is_huge, end - mapped);
	munmap(memory, MAP_SIZE);
}

static void give_registers(int vm, int device)
{
	struct vfio_region_info bar = { .argsz = sizeof(bar), .index = VFIO_PCI_BAR0_REGION_INDEX };
	struct vfio_region_info config = { .argsz = sizeof(config), .index = VFIO_PCI_CONFIG_REGION_INDEX };
	struct kvm_userspace_memory_region slot = { .slot = 1, .guest_phys_addr = GUEST_BAR };
	uint16_t command = MEMORY_AND_MASTER;
	void *at;

	need(ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &bar) == 0, "BAR 0");
	need(ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &config) == 0, "configuration space");
	need(pwrite(device, &command, 2, (off_t)config.offset + COMMAND) == 2, "the command register");
	at = mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, device, (off_t)bar.offset);
	need(at != MAP_FAILED, "BAR 0");
	slot.userspace_addr = (uintptr_t)at;
	slot.memory_size = bar.size;
	need(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot) == 0, "KVM_SET_USER_MEMORY_REGION");
}

static void give_interrupt(int vm, int device)
{
	struct {
		struct kvm_irq_routing head;
		struct kvm_irq_routing_entry entry;
	} route = {
		.head.nr = 1,
		.entry = { .gsi = GSI, .type = KVM_IRQ_ROUTING_MSI,
			   .u.msi = { .address_lo = 0xfee00000, .data = VECTOR } },
	};
	struct {
		struct vfio_irq_set head;
		int32_t fd;
	} set = {
		.head = { .argsz = sizeof(set), .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
			  .index = VFIO_PCI_MSI_IRQ_INDEX, .count = 1 },
		.fd = eventfd(0, EFD_NONBLOCK),
	};
	struct kvm_irqfd irqfd = { .fd = (uint32_t)set.fd, .gsi = GSI };

	need(ioctl(vm, KVM_SET_GSI_ROUTING, &route) == 0, "KVM_SET_GSI_ROUTING");
	need(ioctl(vm, KVM_IRQFD, &irqfd) == 0, "KVM_IRQFD");
	need(ioctl(device, VFIO_DEVICE_SET_IRQS, &set) == 0, "VFIO_DEVICE_SET_IRQS");
}

void kvm_vfio_attach(int vm, const char *name, void *memory, uint64_t size)
{
	int container, device = open_device(name, &container);

	measure(container, 1);
	measure(container, 0);
	map(container, memory, 0, size);
	give_registers(vm, device);
	give_interrupt(vm, device);
}
