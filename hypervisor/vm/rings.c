/* SPDX-License-Identifier: BSD-3-Clause */
/* See rings.h. The lock keeps two vCPUs from writing one element; it is held for a few stores. */
#include "vm/rings.h"

#include "hw/cpu.h"
#include "vm/ioreq.h"

void rings_init(struct rings *rings)
{
	spinlock_init(&rings->lock);
	rings->bells.count = 0;
	rings->doorbell = (struct sbuf){ 0 };
	rings->event = (struct sbuf){ 0 };
}

static bool put(struct sbuf *ring, const void *element)
{
	bool is_put;

	guest_access_begin();
	is_put = sbuf_put(ring, element);
	guest_access_end();
	return is_put;
}

bool rings_ring(struct vcpu *vcpu)
{
	struct rings *rings = &vcpu_vm(vcpu)->rings;
	const struct doorbell *bell;
	bool is_put;

	if (!vcpu->io.is_write || atomic_load_relaxed(&rings->bells.count) == 0)
		return false;
	spinlock_lock(&rings->lock);
	bell = doorbell_find(&rings->bells, &vcpu->io);
	is_put = bell != NULL && put(&rings->doorbell, &bell->cookie);
	spinlock_unlock(&rings->lock);
	if (is_put)
		ioreq_upcall();
	return is_put;
}

void rings_post_event(struct vm *vm, uint32_t type)
{
	const struct acrn_vm_event event = { .type = type };
	bool is_put;

	spinlock_lock(&vm->rings.lock);
	is_put = put(&vm->rings.event, &event);
	spinlock_unlock(&vm->rings.lock);
	if (is_put)
		ioreq_upcall();
}
