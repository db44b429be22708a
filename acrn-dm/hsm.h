/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The VM behind /dev/acrn_hsm: one typed function an ioctl. One process has one VM, so there is no handle.
 * Every function returns 0 or -errno. Only hsm.c knows ioctl numbers; the tests link another file in its place.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct acrn_vcpu_regs;
struct acrn_ioreq;
struct acrn_pcidev;
struct acrn_ptdev_irq;
struct acrn_mmiodev;

#define HSM_MAX_VCPUS	16	/* slots in the request page */

struct hsm_vm_config {
	const char *name;		/* at most 15 characters */
	uint64_t flags;
	uint64_t cpu_affinity;		/* bitmap of physical CPUs; 0: all that the hypervisor allows */
};

struct hsm_vm_info {
	uint16_t vmid;
	uint16_t vcpu_num;
};

/* Opens the node (acrn_hsm, else acrn_vhm) and makes the VM. -ENOENT: no HSM here. */
int hsm_create_vm(const struct hsm_vm_config *cfg, struct hsm_vm_info *info);
/* Pauses, destroys, closes; harmless without a VM. */
void hsm_destroy_vm(void);
int hsm_start_vm(void);
int hsm_pause_vm(void);
/* Does hsm_start_vm() let a VM go on that was paused while it ran? */
bool hsm_can_resume(void);
int hsm_reset_vm(void);
int hsm_set_vcpu_regs(const struct acrn_vcpu_regs *regs);

/* Frequency of the guest's time-stamp counter, 0: unknown. */
uint32_t hsm_tsc_khz(void);

/* The shared page of HSM_MAX_VCPUS request slots of this VM; lives from create to destroy. */
struct acrn_ioreq *hsm_ioreq_page(void);

/* Does guest memory need no huge pages that were set aside? */
bool hsm_takes_any_page(void);
/* prot bits as in the ABI: read 1, write 2, execute 4. */
int hsm_map_ram(uint64_t gpa, void *hva, uint64_t len, uint32_t prot);
int hsm_map_mmio(uint64_t gpa, uint64_t host_pa, uint64_t len, uint32_t prot);
int hsm_unmap(uint64_t gpa, uint64_t len);
/* Can hsm_unmap_ram() take back and unpin what one hsm_map_ram() gave, while the guest runs? */
bool hsm_can_take_back(void);
int hsm_unmap_ram(uint64_t gpa, uint64_t len);
/*
 * In these ranges (len 0: none) what is not mapped is memory all the same: a guest that touches it waits for the answer
 * to a request of type ACRN_IOREQ_FETCH. 0 also where the hypervisor cannot do that: hsm_can_fetch().
 */
int hsm_fetch_range(uint64_t gpa, uint64_t len, uint64_t gpa2, uint64_t len2);
bool hsm_can_fetch(void);

/* Interrupts: MSI in guest format; a line by GSI. */
enum hsm_line { HSM_LINE_HIGH, HSM_LINE_LOW, HSM_LINE_PULSE_UP, HSM_LINE_PULSE_DOWN };
int hsm_inject_msi(uint64_t addr, uint64_t data);
int hsm_set_irqline(uint32_t gsi, enum hsm_line op);

/* Requests of the guest. */
int hsm_ioreq_client_create(void);
int hsm_ioreq_client_destroy(void);	/* wakes the waiters, whose wait then gives -ENODEV */
/* How many threads may be in hsm_ioreq_next() at once: 1, or more with our own HSM. */
unsigned int hsm_ioreq_threads(void);
/*
 * Says that the requests of the vCPUs in the bitmap answered are done, then waits for new ones and returns
 * their bitmap (> 0; each is reported to one thread only), or -ENODEV at the end, -EINTR after a signal: then
 * pass 0.
 */
int hsm_ioreq_next(uint32_t answered);
int hsm_ioreq_clear(void);

/*
 * A guest write to addr signals an eventfd instead of coming to us. Deassign works by fd alone: one eventfd
 * for each registration. -ENOTTY and others: not available, handle the write the slow way.
 */
struct hsm_ioeventfd {
	int fd;
	bool is_port;
	bool has_match;		/* only writes of the value match */
	uint8_t len;		/* 1, 2, 4, 8 */
	uint64_t addr;
	uint64_t match;
};
int hsm_ioeventfd_assign(const struct hsm_ioeventfd *e);
int hsm_ioeventfd_deassign(const struct hsm_ioeventfd *e);

/* Signalling fd injects that MSI; the MSI is fixed at the call. */
int hsm_irqfd_assign(int fd, uint64_t addr, uint64_t data);
int hsm_irqfd_deassign(int fd);

/* Devices of this machine, while the VM does not run; acrn/dev.h. */
int hsm_assign_pcidev(const struct acrn_pcidev *dev);
int hsm_deassign_pcidev(const struct acrn_pcidev *dev);
int hsm_set_ptdev_intr(const struct acrn_ptdev_irq *irq);
int hsm_reset_ptdev_intr(const struct acrn_ptdev_irq *irq);
int hsm_assign_mmiodev(const struct acrn_mmiodev *dev);
int hsm_deassign_mmiodev(const struct acrn_mmiodev *dev);

/* Events from the hypervisor (triple fault, power off): a ring in one page and an eventfd. */
int hsm_vm_events_setup(void *page, int event_fd);
