/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the hypervisor tells a VM's device model without waiting for an answer: doorbells that the guest rang, and
 * events. Each kind has a ring in a page of the Service VM's, and its upcall says that there is something in them.
 */
#pragma once

#include "lib/spinlock.h"
#include "mm/sbuf.h"
#include "vdev/doorbell.h"

struct vcpu;
struct vm;

struct rings {
	struct spinlock lock; /* of all below; nothing is taken under it */
	struct doorbells bells;
	struct sbuf doorbell;
	struct sbuf event;
};

/* As a new VM has them: none. */
void rings_init(struct rings *rings);

/*
 * vcpu->io as a doorbell. False: it is none, or its ring is full; then the access goes the way of all others, where
 * the same eventfd is rung.
 */
bool rings_ring(struct vcpu *vcpu);

/* Tells the device model of an event (ACRN_VM_EVENT_*), if it wants to hear of any and has room. */
void rings_post_event(struct vm *vm, uint32_t type);
