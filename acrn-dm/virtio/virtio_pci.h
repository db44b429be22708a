/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A virtio device as a PCI function (virtio 1.2, 4.1), transitional: the same device answers by the legacy port
 * registers of BAR 0 and by the 1.x registers of BAR 4; the driver picks one. BAR 1 is MSI-X. Identity is what the
 * original has: 1AF4:1000 + n, revision 0, subsystem device = virtio id.
 * What a newcomer would get wrong: a queue's ioeventfd is for the interface that started it, and moves with its BAR.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "bus/pci.h"
#include "hsm.h"
#include "loop.h"
#include "virtio/virtio.h"

#define VIRTIO_PCI_BAR_LEGACY	0
#define VIRTIO_PCI_BAR_MSIX	1
#define VIRTIO_PCI_BAR_MODERN	4

#define VIRTIO_PCI_NOTIFY_MULTIPLIER	4u
#define VIRTIO_PCI_COMMON	0x0000u
#define VIRTIO_PCI_ISR		0x1000u
#define VIRTIO_PCI_DEVICE	0x2000u
#define VIRTIO_PCI_NOTIFY	0x3000u
#define VIRTIO_PCI_MODERN_SIZE	0x4000u

/* Where the driver's notifications for one queue go without us. */
struct virtio_pci_kick {
	struct hsm_ioeventfd reg;
	bool active;
};

/* Where interrupts come from that the kernel raises: an irqfd, or watched here while none can be. */
struct virtio_pci_call {
	int fd;				/* -1: none */
	bool is_irqfd;
	uint64_t addr;
	uint32_t data;
	loop_handle watch;
	struct virtio_queue *queue;
};

struct virtio_pci {
	struct virtio_dev virtio;
	struct pci_func *f;
	char name[48];
	bool modern;			/* false: disable-modern */
	bool uses_legacy;		/* the driver started its queues by BAR 0; with virtio.lock */
	bool modern_only;
	loop_handle poll;		/* --virtio_poll */
	struct virtio_pci_kick kicks[VIRTIO_QUEUES_MAX];	/* with virtio.lock */
	struct virtio_pci_call calls[VIRTIO_QUEUES_MAX];	/* with virtio.lock */
	struct {			/* where the BARs answer; with virtio.lock */
		uint64_t addr;
		bool enabled;
	} bar[PCI_BARS];
	/* The registers a driver selects with; with virtio.lock. */
	uint16_t queue_select;
	uint32_t device_feature_select, driver_feature_select;
	unsigned int cfg_cap;		/* offset of the window capability */
	pthread_mutex_t isr_lock;	/* isr and the INTx level; taken after any other lock here */
	uint8_t isr;
};

struct virtio_pci_ids {
	uint8_t virtio_id;
	uint8_t class, subclass;
	bool modern_only;	/* no legacy interface; 1AF4:1040 + virtio_id, revision 1 */
};

/*
 * Makes p->virtio (by params) a PCI function; modern: with the 1.x interface too. Returns 0 or -errno, logged.
 */
int virtio_pci_init(struct virtio_pci *p, struct pci_func *f, const struct virtio_pci_ids *ids,
		    const struct virtio_params *params, bool modern);
/* The workers of the device are gone before. */
void virtio_pci_exit(struct virtio_pci *p);
/* A reset of the machine. */
void virtio_pci_reset(struct virtio_pci *p);

/* A copy of opts without the word "disable-modern" (*modern says whether it was there); the caller frees it. */
char *virtio_pci_options(const char *opts, bool *modern);

/* The queue that the driver selected, or NULL past the last. */
struct virtio_queue *virtio_pci_selected(struct virtio_pci *p);
/* A vector number as the driver wrote it: VIRTIO_NO_VECTOR unless MSI-X has such an entry. */
uint16_t virtio_pci_vector(const struct virtio_pci *p, uint64_t written);
/* Reads ISR, clears it, lowers INTx. */
uint8_t virtio_pci_read_isr(struct virtio_pci *p);
/* A write to the status register; with virtio.lock. 0 resets the device and the registers here. */
void virtio_pci_write_status(struct virtio_pci *p, uint8_t value);
void virtio_pci_notify(struct virtio_pci *p, uint64_t queue);
/*
 * The kernel raises queue i's interrupts by fd (-1: no more), from now on and wherever the driver directs them. With
 * virtio.lock.
 */
void virtio_pci_set_call(struct virtio_pci *p, unsigned int i, int fd);
/* The driver gave queue i another vector. With virtio.lock. */
void virtio_pci_vector_changed(struct virtio_pci *p, unsigned int i);

/* The registers of BAR 0 and BAR 4, with virtio.lock. */
uint64_t virtio_legacy_read(struct virtio_pci *p, uint64_t off, unsigned int size);
void virtio_legacy_write(struct virtio_pci *p, uint64_t off, unsigned int size, uint64_t value);
uint64_t virtio_modern_read(struct virtio_pci *p, uint64_t off, unsigned int size);
void virtio_modern_write(struct virtio_pci *p, uint64_t off, unsigned int size, uint64_t value);
/* The 1.x capabilities. Returns 0 or -errno. */
int virtio_modern_add_caps(struct virtio_pci *p);
/* Accesses to the window capability (4.1.4.9); false: not ours. */
bool virtio_modern_window_read(struct virtio_pci *p, unsigned int off, unsigned int size, uint32_t *value);
bool virtio_modern_window_write(struct virtio_pci *p, unsigned int off, unsigned int size, uint32_t value);
