/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the request page to the buses and back. A slot may be written by the hypervisor's side only, but it is
 * copied once and checked all the same; only the value goes back, and the answer is given with the next wait
 * (one ioctl).
 */
#include "ioreq.h"

#include <acrn/ioreq.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "bus/io.h"
#include "bus/pci.h"
#include "confine.h"
#include "hsm.h"
#include "log.h"
#include "memory.h"
#include "vm.h"

#define SLOT_MASK	((1u << HSM_MAX_VCPUS) - 1)

static struct {
	pthread_t thread[HSM_MAX_VCPUS];
	unsigned int count;
} ioreq;

static bool is_size(uint64_t size)
{
	return size == 1 || size == 2 || size == 4 || size == 8;
}

/* ECAM: a config access, which must not run under the bus lock. */
static void ecam(struct io_access *a, uint64_t off)
{
	uint16_t bdf = (uint16_t)(off >> 12);
	unsigned int reg = off & 0xfff;

	if (a->size > 4 || (reg & (a->size - 1u))) {
		a->value = ~0ull;
		return;
	}
	if (a->is_write)
		pci_cfg_write(bdf, reg, a->size, (uint32_t)a->value);
	else
		a->value = pci_cfg_read(bdf, reg, a->size);
}

static uint64_t do_io(const struct acrn_ioreq *r)
{
	struct io_access a = {
		.space = r->type == ACRN_IOREQ_PORTIO ? IO_PORT : IO_MMIO,
		.is_write = r->req.mmio.direction == ACRN_IOREQ_WRITE,
		.size = (uint8_t)r->req.mmio.size,
		.addr = r->req.mmio.address,
		.value = r->type == ACRN_IOREQ_PORTIO ? r->req.pio.value : r->req.mmio.value,
	};

	uint64_t off;

	if (!is_size(r->req.mmio.size) || (a.space == IO_PORT && (a.size == 8 || a.addr > 0xffff)))
		return ~0ull;
	if (a.space == IO_MMIO && pci_ecam_holds(a.addr, &off))
		ecam(&a, off);
	else
		io_dispatch(&a);
	return a.value;
}

static uint64_t do_pci(const struct acrn_ioreq_pci *p)
{
	if (p->bus > 255 || p->dev > 31 || p->func > 7 || p->reg > 4095 || !is_size(p->size) || p->size > 4 ||
	    (p->reg & (p->size - 1)))
		return ~0ull;
	if (p->direction == ACRN_IOREQ_WRITE) {
		pci_cfg_write(PCI_BDF(p->bus, p->dev, p->func), p->reg, (unsigned int)p->size, p->value);
		return 0;
	}
	return pci_cfg_read(PCI_BDF(p->bus, p->dev, p->func), p->reg, (unsigned int)p->size);
}

/* Memory that the guest has given up, and touches. It goes on when it is there. */
static void fetch(uint64_t gpa)
{
	const void *p = mem_ptr(gpa, 1);
	int err = p && mem_piece_size() ? mem_give(mem_offset(p)) : -EFAULT;

	if (!err)
		return;
	log_err("the guest's memory at %llx cannot be had again: %s", (unsigned long long)gpa, strerror(-err));
	vm_request(VM_FAILED);
}

static void handle_slot(struct acrn_ioreq *slot)
{
	struct acrn_ioreq r;
	uint64_t value;

	r.type = slot->type;
	memcpy(&r.req, &slot->req, sizeof(r.req));
	switch (r.type) {
	case ACRN_IOREQ_PORTIO:
	case ACRN_IOREQ_MMIO:
		value = do_io(&r);
		break;
	case ACRN_IOREQ_PCICFG:
		value = do_pci(&r.req.pci);
		break;
	case ACRN_IOREQ_FETCH:
		fetch(r.req.mmio.address);
		return;
	default:
		log_guest("request of unknown type %u", r.type);
		value = ~0ull;
		break;
	}
	if (r.req.mmio.direction != ACRN_IOREQ_READ)
		return;
	if (r.type == ACRN_IOREQ_MMIO)
		slot->req.mmio.value = value;
	else
		slot->req.pio.value = (uint32_t)value;
}

static void *serve(void *arg)
{
	struct acrn_ioreq *page = hsm_ioreq_page();
	uint32_t answered = 0;

	(void)arg;
	confine_thread(CONFINE_VCPU);
	for (;;) {
		int found = hsm_ioreq_next(answered);

		if (found == -EINTR || found == 0) {
			answered = 0;
			continue;
		}
		if (found < 0) {
			if (found != -ENODEV) {
				log_err("waiting for I/O requests: %s", strerror(-found));
				vm_request(VM_FAILED);
			}
			return NULL;
		}
		for (unsigned int left = (unsigned int)found & SLOT_MASK; left; left &= left - 1)
			handle_slot(&page[__builtin_ctz(left)]);
		answered = (uint32_t)found;
	}
}

int ioreq_start(void)
{
	int err = hsm_ioreq_client_create();

	if (err)
		return err;
	for (ioreq.count = 0; ioreq.count < hsm_ioreq_threads(); ioreq.count++) {
		char name[16];

		err = -pthread_create(&ioreq.thread[ioreq.count], NULL, serve, NULL);
		if (err) {
			ioreq_stop();
			return err;
		}
		snprintf(name, sizeof(name), "ioreq/%u", ioreq.count & 0xff);
		pthread_setname_np(ioreq.thread[ioreq.count], name);
	}
	return 0;
}

void ioreq_stop(void)
{
	hsm_ioreq_client_destroy();
	while (ioreq.count)
		pthread_join(ioreq.thread[--ioreq.count], NULL);
}
