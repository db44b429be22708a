/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A guest without a VM: memory, and a driver that speaks to the real devices through PCI config space, BARs and rings,
 * as a kernel would. Interrupts are counted by fake_hsm.c. Nothing here belongs to the product.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "virtio/virtqueue.h"

struct pci_func;

/* --- memory ------------------------------------------------------------------------------------------ */

void guest_memory_make(void);		/* 64 MiB, all zero */
void guest_memory_drop(void);
uint64_t guest_alloc(size_t len, size_t align);
void *guest_at(uint64_t gpa);		/* asserts that it is memory */

/* --- a ring ------------------------------------------------------------------------------------------ */

struct guest_ring {
	struct vq_setup setup;
	uint16_t next_desc;	/* descriptors are handed out round and round */
	uint16_t avail_idx;
	uint16_t used_seen;
	/* Packed: places and wrap counters of both sides, and how many descriptors each buffer id has. */
	uint16_t at, used_at;
	bool wrap, used_wrap;
	uint16_t next_id;
	uint16_t id_count[VQ_SIZE_MAX];
};

struct guest_seg {
	uint64_t addr;
	uint32_t len;
};

/* Lays the ring out as a legacy driver must (one block); 1.x drivers may do the same. */
void ring_make(struct guest_ring *r, uint16_t size);
/* A packed ring of any size. The functions below then work on it, those that hand out its parts excepted. */
void ring_make_packed(struct guest_ring *r, uint16_t size);
struct vring_packed_desc *ring_packed(struct guest_ring *r, uint16_t i);
struct vring_desc *ring_desc(struct guest_ring *r, uint16_t i);
struct vring_avail *ring_avail(struct guest_ring *r);
struct vring_used *ring_used(struct guest_ring *r);
/* Makes head available. */
void ring_offer(struct guest_ring *r, uint16_t head);
/* A chain of n_out segments to read and n_in to write, made available; its head. */
uint16_t ring_add(struct guest_ring *r, const struct guest_seg *segs, unsigned int n_out, unsigned int n_in);
/* The same by an indirect table. */
uint16_t ring_add_indirect(struct guest_ring *r, const struct guest_seg *segs, unsigned int n_out, unsigned int n_in);
/* The next used entry, waiting for it; false if none comes. */
bool ring_wait(struct guest_ring *r, struct vring_used_elem *e);
/* Is there one now? */
bool ring_has_used(struct guest_ring *r);

/* --- a device ---------------------------------------------------------------------------------------- */

struct guest_dev {
	struct pci_func *f;
	bool modern;
	bool packed;		/* accept packed rings: set it before guest_dev_start() */
	uint64_t legacy_base, modern_base;
	unsigned int rings;
	struct guest_ring ring[8];
};

/* Makes slot 3 a device of that class, sizes nothing, enables its BARs, and switches MSI-X on if asked. */
int guest_dev_make(struct guest_dev *g, const char *class_name, const char *opts, bool modern, bool msix);
/* For devices that a test has created itself on function f. */
void guest_dev_attach(struct guest_dev *g, struct pci_func *f, bool modern, bool msix);
void guest_dev_drop(struct guest_dev *g);

/* ACKNOWLEDGE, DRIVER, features (masked by what is offered, returned), the first `rings` queues, DRIVER_OK. */
uint64_t guest_dev_start(struct guest_dev *g, uint64_t features, unsigned int rings);
void guest_dev_reset(struct guest_dev *g);
uint8_t guest_dev_status(struct guest_dev *g);
void guest_dev_set_status(struct guest_dev *g, uint8_t status);
uint64_t guest_dev_offered(struct guest_dev *g);
void guest_dev_accept(struct guest_dev *g, uint64_t features);
/* Tells the device where ring i is and enables it, with vector i + 1. */
void guest_dev_enable_ring(struct guest_dev *g, unsigned int i, uint16_t size);
void guest_dev_kick(struct guest_dev *g, unsigned int i);
uint64_t guest_dev_config(struct guest_dev *g, unsigned int offset, unsigned int size);
void guest_dev_write_config(struct guest_dev *g, unsigned int offset, unsigned int size, uint64_t value);

/* One access of a vCPU; a write that an ioeventfd takes does not reach the device model. */
uint64_t guest_in(uint64_t port, unsigned int size);
void guest_out(uint64_t port, unsigned int size, uint64_t value);
uint64_t guest_load(uint64_t addr, unsigned int size);
void guest_store(uint64_t addr, unsigned int size, uint64_t value);
