/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ioctls of /dev/acrn_hsm. The one thing to know: our own module has calls that the kernel's in-tree
 * driver lacks; GET_INFO tells, and without them the older calls do (see ioreq_next_old()).
 */
#include "hsm.h"

#include <acrn/dev.h>
#include <acrn/hsm.h>
#include <acrn/ioreq.h>
#include <acrn/sbuf.h>
#include <acrn/vm.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "log.h"
#include "ring.h"

static struct {
	int fd;
	uint64_t caps;
	uint32_t tsc_khz;
	bool created, client;
	uint16_t vcpu_num;
	struct acrn_ioreq *page;
	struct acrn_sbuf *doorbells;	/* what the guest rang; the module reads it. NULL: not to be had */
} hsm = { .fd = -1 };

static int call(unsigned long request, void *arg)
{
	int ret = ioctl(hsm.fd, request, arg);

	return ret < 0 ? -errno : ret;
}

static int call_value(unsigned long request, unsigned long value)
{
	int ret = ioctl(hsm.fd, request, value);

	return ret < 0 ? -errno : ret;
}

static int open_node(void)
{
	struct acrn_hsm_info info;

	hsm.fd = open("/dev/acrn_hsm", O_RDWR | O_CLOEXEC);
	if (hsm.fd < 0 && errno == ENOENT)
		hsm.fd = open("/dev/acrn_vhm", O_RDWR | O_CLOEXEC);
	if (hsm.fd < 0)
		return -errno;
	memset(&info, 0, sizeof(info));
	if (call(ACRN_IOCTL_GET_INFO, &info) == 0) {
		hsm.caps = info.caps;
		hsm.tsc_khz = info.tsc_khz;
	}
	return 0;
}

/* Notifications that need not stop the guest. Without the ring they come as requests, and nothing else changes. */
static void setup_doorbells(void)
{
	int err;

	hsm.doorbells = ring_create(sizeof(uint64_t));
	err = hsm.doorbells ? call_value(ACRN_IOCTL_SETUP_ASYNCIO, (unsigned long)(uintptr_t)hsm.doorbells) : -errno;
	if (!err)
		return;
	log_debug("no ring for the guest's notifications: %s", strerror(-err));
	ring_destroy(hsm.doorbells);
	hsm.doorbells = NULL;
}

int hsm_create_vm(const struct hsm_vm_config *cfg, struct hsm_vm_info *info)
{
	struct acrn_vm_creation c = { .flags = cfg->flags, .cpu_affinity = cfg->cpu_affinity };
	int err = open_node();

	if (err)
		return err;
	hsm.page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (hsm.page == MAP_FAILED) {
		err = -errno;
		hsm.page = NULL;
		hsm_destroy_vm();
		return err;
	}
	strncpy((char *)c.name, cfg->name, sizeof(c.name) - 1);
	c.ioreq_buf = (uint64_t)(uintptr_t)hsm.page;
	err = call(ACRN_IOCTL_CREATE_VM, &c);
	if (err) {
		hsm_destroy_vm();
		return err;
	}
	hsm.created = true;
	hsm.vcpu_num = c.vcpu_num;
	info->vmid = c.vmid;
	info->vcpu_num = c.vcpu_num;
	if (c.vmid == ACRN_VMID_INVALID || c.vcpu_num == 0 || c.vcpu_num > HSM_MAX_VCPUS) {
		hsm_destroy_vm();
		return -EINVAL;
	}
	setup_doorbells();
	return 0;
}

void hsm_destroy_vm(void)
{
	int err;

	if (hsm.created) {
		hsm_pause_vm();
		hsm_ioreq_client_destroy();
		err = call(ACRN_IOCTL_DESTROY_VM, NULL);
		if (err)
			log_err("the hypervisor refuses to destroy the VM: %s", strerror(-err));
	}
	if (hsm.fd >= 0)
		close(hsm.fd);
	if (hsm.page)
		munmap(hsm.page, 4096);
	ring_destroy(hsm.doorbells);
	memset(&hsm, 0, sizeof(hsm));
	hsm.fd = -1;
}

int hsm_start_vm(void)
{
	return call(ACRN_IOCTL_START_VM, NULL);
}

int hsm_pause_vm(void)
{
	return call(ACRN_IOCTL_PAUSE_VM, NULL);
}

bool hsm_can_resume(void)
{
	return hsm.caps & ACRN_HSM_CAP_RESUME;
}

int hsm_reset_vm(void)
{
	return call(ACRN_IOCTL_RESET_VM, NULL);
}

int hsm_set_vcpu_regs(const struct acrn_vcpu_regs *regs)
{
	return call(ACRN_IOCTL_SET_VCPU_REGS, (void *)regs);
}

uint32_t hsm_tsc_khz(void)
{
	return hsm.tsc_khz;
}

struct acrn_ioreq *hsm_ioreq_page(void)
{
	return hsm.page;
}

bool hsm_takes_any_page(void)
{
	return hsm.caps & ACRN_HSM_CAP_ANY_PAGE;
}

int hsm_map_ram(uint64_t gpa, void *hva, uint64_t len, uint32_t prot)
{
	struct acrn_memmap m = {
		.type = ACRN_MEMMAP_RAM,
		.attr = (prot & ACRN_MEM_ACCESS_MASK) | ACRN_MEM_TYPE_WB,
		.user_vm_pa = gpa,
		.vma_base = (uint64_t)(uintptr_t)hva,
		.len = len,
	};

	return call(ACRN_IOCTL_SET_MEMSEG, &m);
}

int hsm_map_mmio(uint64_t gpa, uint64_t host_pa, uint64_t len, uint32_t prot)
{
	struct acrn_memmap m = {
		.type = ACRN_MEMMAP_MMIO,
		.attr = (prot & ACRN_MEM_ACCESS_MASK) | ACRN_MEM_TYPE_UC,
		.user_vm_pa = gpa,
		.service_vm_pa = host_pa,
		.len = len,
	};

	return call(ACRN_IOCTL_SET_MEMSEG, &m);
}

int hsm_unmap(uint64_t gpa, uint64_t len)
{
	struct acrn_memmap m = { .type = ACRN_MEMMAP_MMIO, .user_vm_pa = gpa, .len = len };

	return call(ACRN_IOCTL_UNSET_MEMSEG, &m);
}

bool hsm_can_take_back(void)
{
	return hsm.caps & ACRN_HSM_CAP_UNSET_RAM;
}

int hsm_unmap_ram(uint64_t gpa, uint64_t len)
{
	struct acrn_memmap m = { .type = ACRN_MEMMAP_RAM, .user_vm_pa = gpa, .len = len };

	return call(ACRN_IOCTL_UNSET_MEMSEG, &m);
}

bool hsm_can_fetch(void)
{
	return hsm.caps & ACRN_HSM_CAP_FETCH;
}

int hsm_fetch_range(uint64_t gpa, uint64_t len, uint64_t gpa2, uint64_t len2)
{
	struct acrn_memmap m[] = {
		{ .type = ACRN_MEMMAP_FETCH, .user_vm_pa = gpa, .len = len },
		{ .type = ACRN_MEMMAP_FETCH, .user_vm_pa = gpa2, .len = len2 },
	};
	int err = 0;

	for (unsigned int i = 0; i < 2 && !err; i++)
		if (m[i].len && hsm_can_fetch())
			err = call(ACRN_IOCTL_SET_MEMSEG, &m[i]);
	return err;
}

int hsm_inject_msi(uint64_t addr, uint64_t data)
{
	struct acrn_msi msi = { addr, data };

	return call(ACRN_IOCTL_INJECT_MSI, &msi);
}

int hsm_set_irqline(uint32_t gsi, enum hsm_line op)
{
	return call_value(ACRN_IOCTL_SET_IRQLINE, ACRN_IRQLINE(gsi, op));
}

int hsm_ioreq_client_create(void)
{
	int err = call(ACRN_IOCTL_CREATE_IOREQ_CLIENT, NULL);

	hsm.client = err == 0;
	return err;
}

int hsm_ioreq_client_destroy(void)
{
	if (!hsm.client)
		return 0;
	hsm.client = false;
	return call(ACRN_IOCTL_DESTROY_IOREQ_CLIENT, NULL);
}

unsigned int hsm_ioreq_threads(void)
{
	return hsm.caps & ACRN_HSM_CAP_IOREQ_NEXT ? hsm.vcpu_num : 1;
}

/* The in-tree driver: answer one by one, wait, look through the slots. */
static int ioreq_next_old(uint32_t answered)
{
	struct acrn_ioreq_notify n = { 0 };
	uint32_t found = 0;
	int err;

	for (n.vcpu = 0; n.vcpu < hsm.vcpu_num; n.vcpu++) {
		if (!(answered & 1u << n.vcpu))
			continue;
		err = call(ACRN_IOCTL_NOTIFY_REQUEST_FINISH, &n);
		if (err)
			log_err("NOTIFY_REQUEST_FINISH of vCPU %u: %s", n.vcpu, strerror(-err));
	}
	err = call(ACRN_IOCTL_ATTACH_IOREQ_CLIENT, NULL);
	if (err)
		return err;
	for (uint32_t i = 0; i < hsm.vcpu_num; i++) {
		const struct acrn_ioreq *slot = &hsm.page[i];

		if (__atomic_load_n(&slot->state, __ATOMIC_ACQUIRE) == ACRN_IOREQ_PROCESSING &&
		    !slot->kernel_handled)
			found |= 1u << i;
	}
	return found ? (int)found : -EINTR;
}

int hsm_ioreq_next(uint32_t answered)
{
	if (hsm.caps & ACRN_HSM_CAP_IOREQ_NEXT)
		return call_value(ACRN_IOCTL_IOREQ_NEXT, answered);
	return ioreq_next_old(answered);
}

int hsm_ioreq_clear(void)
{
	return call(ACRN_IOCTL_CLEAR_VM_IOREQ, NULL);
}

static int ioeventfd(const struct hsm_ioeventfd *e, uint32_t flags)
{
	struct acrn_ioeventfd a = {
		.fd = e->fd,
		.flags = flags | (e->is_port ? ACRN_IOEVENTFD_PIO : 0) |
			 (e->has_match ? ACRN_IOEVENTFD_DATAMATCH : 0),
		.addr = e->addr,
		.len = e->len,
		.data = e->match,
	};

	return call(ACRN_IOCTL_IOEVENTFD, &a);
}

int hsm_ioeventfd_assign(const struct hsm_ioeventfd *e)
{
	return ioeventfd(e, hsm.doorbells ? ACRN_IOEVENTFD_ASYNCIO : 0);
}

int hsm_ioeventfd_deassign(const struct hsm_ioeventfd *e)
{
	return ioeventfd(e, ACRN_IOEVENTFD_DEASSIGN);
}

int hsm_irqfd_assign(int fd, uint64_t addr, uint64_t data)
{
	struct acrn_irqfd a = { .fd = fd, .msi = { addr, data } };

	return call(ACRN_IOCTL_IRQFD, &a);
}

int hsm_irqfd_deassign(int fd)
{
	struct acrn_irqfd a = { .fd = fd, .flags = ACRN_IRQFD_DEASSIGN };

	return call(ACRN_IOCTL_IRQFD, &a);
}

int hsm_assign_pcidev(const struct acrn_pcidev *dev)
{
	return call(ACRN_IOCTL_ASSIGN_PCIDEV, (void *)dev);
}

int hsm_deassign_pcidev(const struct acrn_pcidev *dev)
{
	return call(ACRN_IOCTL_DEASSIGN_PCIDEV, (void *)dev);
}

int hsm_assign_mmiodev(const struct acrn_mmiodev *dev)
{
	return call(ACRN_IOCTL_ASSIGN_MMIODEV, (void *)dev);
}

int hsm_deassign_mmiodev(const struct acrn_mmiodev *dev)
{
	return call(ACRN_IOCTL_DEASSIGN_MMIODEV, (void *)dev);
}

int hsm_set_ptdev_intr(const struct acrn_ptdev_irq *irq)
{
	return call(ACRN_IOCTL_SET_PTDEV_INTR, (void *)irq);
}

int hsm_reset_ptdev_intr(const struct acrn_ptdev_irq *irq)
{
	return call(ACRN_IOCTL_RESET_PTDEV_INTR, (void *)irq);
}

int hsm_vm_events_setup(void *page, int event_fd)
{
	int err = call_value(ACRN_IOCTL_SETUP_VM_EVENT_RING, (unsigned long)(uintptr_t)page);

	return err ? err : call_value(ACRN_IOCTL_SETUP_VM_EVENT_FD, (unsigned long)event_fd);
}
