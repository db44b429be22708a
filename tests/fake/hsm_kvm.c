/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * acrn-dm over /dev/kvm, for tests only: the same hsm.h, linked in place of acrn-dm/hsm.c. KVM's own interrupt chips
 * stand for the hypervisor's; PCI lines are active low there and active high here.
 */
#include "hsm_kvm.h"

#include <acrn/vm.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "log.h"

#define PINS		24
#define MAX_MEMORY	8
#define MAX_IRQFDS	64

struct kvm_fake fake = { .kvm_fd = -1, .vm_fd = -1, .event_fd = -1 };

static struct kvm_userspace_memory_region memory[MAX_MEMORY];
static unsigned int memories;

static struct irqfd {
	bool used;
	int fd;
	uint64_t addr;
	uint32_t data;
} irqfds[MAX_IRQFDS];

int fake_ioctl(int fd, unsigned long request, void *arg)
{
	int ret = ioctl(fd, request, arg);

	return ret < 0 ? -errno : ret;
}

static int set_routes(void);

static int make_vm(void)
{
	int err;

	fake.vm_fd = ioctl(fake.kvm_fd, KVM_CREATE_VM, 0);
	if (fake.vm_fd < 0)
		return -errno;
	ioctl(fake.vm_fd, KVM_SET_TSS_ADDR, 0xfffbd000);
	err = fake_ioctl(fake.vm_fd, KVM_CREATE_IRQCHIP, NULL);
	if (!err)
		err = set_routes();
	for (unsigned int i = 0; i < memories && !err; i++)
		err = fake_ioctl(fake.vm_fd, KVM_SET_USER_MEMORY_REGION, &memory[i]);
	return err ? err : fake_vcpus_create();
}

int hsm_create_vm(const struct hsm_vm_config *cfg, struct hsm_vm_info *info)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int size, err;

	fake.kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (fake.kvm_fd < 0)
		return -errno;
	size = ioctl(fake.kvm_fd, KVM_GET_VCPU_MMAP_SIZE, NULL);
	if (size < 0)
		return -errno;
	fake.run_size = (uint32_t)size;
	fake.vcpus = (unsigned int)__builtin_popcountll(cfg->cpu_affinity);
	if (fake.vcpus == 0)
		fake.vcpus = cpus < HSM_MAX_VCPUS ? (unsigned int)cpus : HSM_MAX_VCPUS;
	fake.page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fake.page == MAP_FAILED)
		return -errno;
	err = make_vm();
	info->vmid = 1;
	info->vcpu_num = (uint16_t)fake.vcpus;
	log_debug("running on KVM, for tests");
	return err;
}

static void close_vm(void)
{
	fake_vcpus_stop();
	fake_vcpus_destroy();
	if (fake.vm_fd >= 0)
		close(fake.vm_fd);
	fake.vm_fd = -1;
}

void hsm_destroy_vm(void)
{
	close_vm();
	if (fake.kvm_fd >= 0)
		close(fake.kvm_fd);
	fake.kvm_fd = -1;
	memories = 0;
	if (fake.page)
		munmap(fake.page, 4096);
	fake.page = NULL;
}

int hsm_start_vm(void)
{
	return fake_vcpus_start();
}

int hsm_pause_vm(void)
{
	fake_vcpus_stop();
	return 0;
}

bool hsm_can_resume(void)
{
	return false;
}

/* A new VM in place of the old one: KVM has no reset. */
int hsm_reset_vm(void)
{
	close_vm();
	return make_vm();
}

int hsm_set_vcpu_regs(const struct acrn_vcpu_regs *regs)
{
	return fake_vcpus_set_regs(regs);
}

uint32_t hsm_tsc_khz(void)
{
	int khz = ioctl(fake_vcpu_fd(0), KVM_GET_TSC_KHZ, 0);

	return khz > 0 ? (uint32_t)khz : 0;
}

struct acrn_ioreq *hsm_ioreq_page(void)
{
	return fake.page;
}

int hsm_map_ram(uint64_t gpa, void *hva, uint64_t len, uint32_t prot)
{
	struct kvm_userspace_memory_region *m = &memory[memories];

	if (memories == MAX_MEMORY)
		return -ENOMEM;
	*m = (struct kvm_userspace_memory_region){
		.slot = memories,
		.flags = prot & ACRN_MEM_WRITE ? 0 : KVM_MEM_READONLY,	/* writes come as MMIO */
		.guest_phys_addr = gpa,
		.memory_size = len,
		.userspace_addr = (uintptr_t)hva,
	};
	memories++;
	return fake_ioctl(fake.vm_fd, KVM_SET_USER_MEMORY_REGION, m);
}

int hsm_unmap(uint64_t gpa, uint64_t len)
{
	(void)gpa;
	(void)len;
	return -ENODEV;
}

int hsm_inject_msi(uint64_t addr, uint64_t data)
{
	struct kvm_msi msi = {
		.address_lo = (uint32_t)addr,
		.address_hi = (uint32_t)(addr >> 32),
		.data = (uint32_t)data,
	};
	int ret = fake_ioctl(fake.vm_fd, KVM_SIGNAL_MSI, &msi);

	return ret < 0 ? ret : 0;
}

static int set_level(uint32_t gsi, bool high)
{
	struct kvm_irq_level l = {
		.irq = gsi == 2 ? 0 : gsi,	/* our routes take GSI 0 to pin 2 and to IRQ 0 */
		.level = gsi >= 16 ? !high : high,
	};

	return gsi < PINS ? fake_ioctl(fake.vm_fd, KVM_IRQ_LINE, &l) : -EINVAL;
}

int hsm_set_irqline(uint32_t gsi, enum hsm_line op)
{
	int err = set_level(gsi, op == HSM_LINE_HIGH || op == HSM_LINE_PULSE_UP);

	if (!err && op == HSM_LINE_PULSE_UP)
		err = set_level(gsi, false);
	if (!err && op == HSM_LINE_PULSE_DOWN)
		err = set_level(gsi, true);
	return err;
}

static int ioeventfd(const struct hsm_ioeventfd *e, uint32_t flags)
{
	struct kvm_ioeventfd k = {
		.datamatch = e->match,
		.addr = e->addr,
		.len = e->len,
		.fd = e->fd,
		.flags = flags | (e->is_port ? KVM_IOEVENTFD_FLAG_PIO : 0) |
			 (e->has_match ? KVM_IOEVENTFD_FLAG_DATAMATCH : 0),
	};

	return fake_ioctl(fake.vm_fd, KVM_IOEVENTFD, &k);
}

int hsm_ioeventfd_assign(const struct hsm_ioeventfd *e)
{
	return ioeventfd(e, 0);
}

int hsm_ioeventfd_deassign(const struct hsm_ioeventfd *e)
{
	return ioeventfd(e, KVM_IOEVENTFD_FLAG_DEASSIGN);
}

/* The pins, IRQ 0 on pin 2, then one message a registered irqfd. */
static int set_routes(void)
{
	struct kvm_irq_routing *r = calloc(1, sizeof(*r) + (2 * PINS + MAX_IRQFDS) * sizeof(r->entries[0]));
	struct kvm_irq_routing_entry *e;
	int err;

	if (!r)
		return -ENOMEM;
	for (uint32_t i = 0; i < PINS; i++) {
		if (i < 16) {
			e = &r->entries[r->nr++];
			e->gsi = i;
			e->type = KVM_IRQ_ROUTING_IRQCHIP;
			e->u.irqchip.irqchip = i < 8 ? KVM_IRQCHIP_PIC_MASTER : KVM_IRQCHIP_PIC_SLAVE;
			e->u.irqchip.pin = i % 8;
		}
		e = &r->entries[r->nr++];
		e->gsi = i;
		e->type = KVM_IRQ_ROUTING_IRQCHIP;
		e->u.irqchip.irqchip = KVM_IRQCHIP_IOAPIC;
		e->u.irqchip.pin = i == 0 ? 2 : i;
	}
	for (uint32_t i = 0; i < MAX_IRQFDS; i++) {
		if (!irqfds[i].used)
			continue;
		e = &r->entries[r->nr++];
		e->gsi = PINS + i;
		e->type = KVM_IRQ_ROUTING_MSI;
		e->u.msi.address_lo = (uint32_t)irqfds[i].addr;
		e->u.msi.address_hi = (uint32_t)(irqfds[i].addr >> 32);
		e->u.msi.data = irqfds[i].data;
	}
	err = fake_ioctl(fake.vm_fd, KVM_SET_GSI_ROUTING, r);
	free(r);
	return err;
}

int hsm_irqfd_assign(int fd, uint64_t addr, uint64_t data)
{
	struct kvm_irqfd k = { .fd = (uint32_t)fd };
	unsigned int i = 0;
	int err;

	while (i < MAX_IRQFDS && irqfds[i].used)
		i++;
	if (i == MAX_IRQFDS)
		return -ENOSPC;
	irqfds[i] = (struct irqfd){ true, fd, addr, (uint32_t)data };
	k.gsi = PINS + i;
	err = set_routes();
	return err ? err : fake_ioctl(fake.vm_fd, KVM_IRQFD, &k);
}

int hsm_irqfd_deassign(int fd)
{
	struct kvm_irqfd k = { .fd = (uint32_t)fd, .flags = KVM_IRQFD_FLAG_DEASSIGN };

	for (unsigned int i = 0; i < MAX_IRQFDS; i++) {
		if (!irqfds[i].used || irqfds[i].fd != fd)
			continue;
		irqfds[i].used = false;
		k.gsi = PINS + i;
		return fake_ioctl(fake.vm_fd, KVM_IRQFD, &k);
	}
	return 0;
}

int hsm_vm_events_setup(void *page, int event_fd)
{
	fake.event_page = page;
	fake.event_fd = event_fd;
	return 0;
}
