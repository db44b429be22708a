/* SPDX-License-Identifier: BSD-3-Clause */
/* Hypercalls on the rings of a VM (vm/rings.h): where they are, and which addresses are doorbells. */
#include "hw/cpu.h"
#include "hw/paging.h"
#include "lib/errno.h"
#include "lib/util.h"
#include "vm/hypercall.h"

/* The rings of a CPU (trace, log, samples) are not built: -ENODEV. */
int64_t hc_setup_sbuf(struct hypercall *call)
{
	struct gpa_space *service = &call->caller->group->space;
	struct rings *rings = &call->target->rings;
	struct acrn_sbuf_param p;
	bool is_event;
	int err = hypercall_read(call, call->rsi, &p, sizeof(p));

	if (err != 0)
		return err;
	is_event = p.sbuf_id == ACRN_SBUF_VM_EVENT;
	if (!is_event && p.sbuf_id != ACRN_SBUF_ASYNCIO)
		return p.sbuf_id <= ACRN_SBUF_SOCWATCH ? -ENODEV : -EINVAL;
	if (!IS_ALIGNED(p.gpa, PAGE_SIZE) || !vm_is_guest_ram(p.gpa) ||
	    !gpa_space_is_mapped(service, p.gpa, PAGE_SIZE, PG_READ | PG_WRITE))
		return -EINVAL;
	spinlock_lock(&rings->lock);
	guest_access_begin();
	err = sbuf_init(is_event ? &rings->event : &rings->doorbell, phys_to_virt(p.gpa),
			is_event ? sizeof(struct acrn_vm_event) : sizeof(uint64_t));
	guest_access_end();
	spinlock_unlock(&rings->lock);
	return err;
}

static int64_t change(struct hypercall *call, int (*fn)(struct doorbells *d, const struct doorbell *bell))
{
	struct rings *rings = &call->target->rings;
	struct acrn_asyncio_info info;
	struct doorbell bell;
	int err = hypercall_read(call, call->rsi, &info, sizeof(info));

	if (err != 0)
		return err;
	if (info.type != ACRN_ASYNCIO_PIO && info.type != ACRN_ASYNCIO_MMIO)
		return -EINVAL;
	bell = (struct doorbell){
		.space = info.type == ACRN_ASYNCIO_PIO ? IO_PORT : IO_MMIO,
		.has_match = info.match_data != 0,
		.addr = info.addr,
		.match = info.data,
		.cookie = info.cookie,
	};
	spinlock_lock(&rings->lock);
	err = fn(&rings->bells, &bell);
	spinlock_unlock(&rings->lock);
	return err;
}

int64_t hc_asyncio_assign(struct hypercall *call)
{
	return change(call, doorbell_add);
}

int64_t hc_asyncio_deassign(struct hypercall *call)
{
	return change(call, doorbell_remove);
}
