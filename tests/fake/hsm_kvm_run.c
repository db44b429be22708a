/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The processors of the stand-in: one thread a vCPU turns KVM's exits into the slots of the request page, as hypervisor
 * and HSM would together, PCI config folding included, and waits for the answer.
 */
#include <acrn/ioreq.h>
#include <acrn/sbuf.h>
#include <acrn/vm.h>
#include <errno.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hsm_kvm.h"
#include "log.h"

#define CPUID_ENTRIES	256

struct vcpu {
	unsigned int id;
	int fd;
	struct kvm_run *run;
	pthread_t thread;
	bool started;
};

static struct vcpu vcpu[HSM_MAX_VCPUS];
static atomic_bool stopping;

static struct {
	pthread_mutex_t lock;
	pthread_cond_t requested, answered;
	uint32_t pending;	/* vCPUs whose slot waits for a client */
	bool client;
	uint32_t pci_address;	/* 0xCF8 */
} req = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, false, 0 };

static int set_cpuid(struct vcpu *v)
{
	struct kvm_cpuid2 *c = calloc(1, sizeof(*c) + CPUID_ENTRIES * sizeof(c->entries[0]));
	unsigned int kept = 0;
	int err;

	if (!c)
		return -ENOMEM;
	c->nent = CPUID_ENTRIES;
	err = fake_ioctl(fake.kvm_fd, KVM_GET_SUPPORTED_CPUID, c);
	for (unsigned int i = 0; i < c->nent && !err; i++) {
		struct kvm_cpuid_entry2 *e = &c->entries[i];

		if ((e->function & 0xffff0000u) == 0x40000000u)
			continue;	/* no paravirtual clock: it is not ours */
		if (e->function == 1) {
			e->ebx = (e->ebx & 0xff00ffff) | v->id << 24 | 1u << 16;
			e->ecx |= 1u << 31;
		}
		if (e->function == 0xb || e->function == 0x1f)
			e->edx = v->id;
		c->entries[kept++] = *e;
	}
	c->nent = kept;
	if (!err)
		err = fake_ioctl(v->fd, KVM_SET_CPUID2, c);
	free(c);
	return err;
}

int fake_vcpus_create(void)
{
	int err = 0;

	for (unsigned int i = 0; i < fake.vcpus && !err; i++) {
		struct vcpu *v = &vcpu[i];

		*v = (struct vcpu){ .id = i };
		v->fd = ioctl(fake.vm_fd, KVM_CREATE_VCPU, (unsigned long)i);
		if (v->fd < 0)
			return -errno;
		v->run = mmap(NULL, fake.run_size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
		if (v->run == MAP_FAILED)
			return -errno;
		err = set_cpuid(v);
	}
	for (unsigned int i = 0; i < ACRN_IOREQ_SLOTS; i++)
		fake.page[i].state = ACRN_IOREQ_FREE;
	req.pci_address = 0;
	req.pending = 0;
	return err;
}

int fake_vcpu_fd(unsigned int id)
{
	return vcpu[id].fd;
}

void fake_vcpus_destroy(void)
{
	for (unsigned int i = 0; i < fake.vcpus; i++) {
		if (vcpu[i].run && vcpu[i].run != MAP_FAILED)
			munmap(vcpu[i].run, fake.run_size);
		if (vcpu[i].fd > 0)
			close(vcpu[i].fd);
		vcpu[i] = (struct vcpu){ 0 };
	}
}

static struct kvm_segment data_segment(uint16_t selector)
{
	return (struct kvm_segment){
		.limit = 0xffffffffu, .selector = selector, .type = 3, .present = 1, .db = 1, .s = 1, .g = 1,
	};
}

int fake_vcpus_set_regs(const struct acrn_vcpu_regs *v)
{
	const struct acrn_regs *r = &v->regs;
	struct kvm_regs regs = { .rip = r->rip, .rflags = r->rflags, .rax = r->gprs.rax, .rbx = r->gprs.rbx,
				 .rsi = r->gprs.rsi };
	struct kvm_sregs s;
	int err = fake_ioctl(vcpu[0].fd, KVM_GET_SREGS, &s);

	if (err)
		return err;
	s.cr0 = r->cr0;
	s.cs = data_segment(r->cs_sel);
	s.cs.base = r->cs_base;
	s.cs.limit = r->cs_limit;
	s.cs.type = r->cs_ar & 15;
	s.cs.db = r->cs_ar >> 14 & 1;
	s.cs.g = r->cs_ar >> 15 & 1;
	s.ds = s.es = s.ss = s.fs = s.gs = data_segment(r->ds_sel);
	if (!(r->cr0 & 1)) {	/* real mode: the base follows the selector, 64 KiB */
		s.ds.base = s.es.base = s.ss.base = s.fs.base = s.gs.base = (uint64_t)r->ds_sel << 4;
		s.ds.limit = s.es.limit = s.ss.limit = s.fs.limit = s.gs.limit = 0xffff;
		s.ds.db = s.es.db = s.ss.db = s.fs.db = s.gs.db = 0;
		s.ds.g = s.es.g = s.ss.g = s.fs.g = s.gs.g = 0;
	}
	s.gdt.base = r->gdt.base;
	s.gdt.limit = r->gdt.limit;
	err = fake_ioctl(vcpu[0].fd, KVM_SET_SREGS, &s);
	return err ? err : fake_ioctl(vcpu[0].fd, KVM_SET_REGS, &regs);
}

/* --- the request page ------------------------------------------------------------------------------- */

/* What the HSM does itself with ports 0xCF8 and 0xCFC. True if the request is done. */
static bool fold_pci(struct acrn_ioreq *slot)
{
	struct acrn_ioreq_pio pio = slot->req.pio;
	bool is_write = pio.direction == ACRN_IOREQ_WRITE;
	struct acrn_ioreq_pci *pci = &slot->req.pci;
	uint32_t a = req.pci_address;

	if (pio.address == 0xcf8 && pio.size == 4) {
		if (is_write)
			req.pci_address = pio.value;
		else
			slot->req.pio.value = req.pci_address;
		return true;
	}
	if (pio.address < 0xcfc || pio.address > 0xcff)
		return false;
	if (!(a >> 31)) {
		slot->req.pio.value = 0xffffffffu;
		return true;
	}
	slot->type = ACRN_IOREQ_PCICFG;
	pci->bus = a >> 16 & 255;
	pci->dev = a >> 11 & 31;
	pci->func = a >> 8 & 7;
	pci->reg = (a & 0xfc) | (a >> 16 & 0xf00) | (pio.address & 3);
	return false;
}

/* One access by slot; false if the VM stops before the answer. */
static bool request(struct vcpu *v, uint32_t type, bool is_write, uint64_t addr, uint64_t size, uint64_t *value)
{
	struct acrn_ioreq *slot = &fake.page[v->id];
	bool done;

	memset(&slot->req, 0, sizeof(slot->req));
	slot->type = type;
	slot->kernel_handled = 0;
	slot->req.mmio.direction = is_write ? ACRN_IOREQ_WRITE : ACRN_IOREQ_READ;
	slot->req.mmio.address = addr;
	slot->req.mmio.size = size;
	slot->req.mmio.value = is_write ? *value : 0;
	pthread_mutex_lock(&req.lock);
	done = type == ACRN_IOREQ_PORTIO && fold_pci(slot);
	if (!done) {
		__atomic_store_n(&slot->state, ACRN_IOREQ_PROCESSING, __ATOMIC_RELEASE);
		req.pending |= 1u << v->id;
		pthread_cond_signal(&req.requested);
		while (slot->state != ACRN_IOREQ_COMPLETE && !stopping)
			pthread_cond_wait(&req.answered, &req.lock);
		done = slot->state == ACRN_IOREQ_COMPLETE;
	}
	if (!is_write)
		*value = type == ACRN_IOREQ_PORTIO ? slot->req.pio.value : slot->req.mmio.value;
	slot->state = ACRN_IOREQ_FREE;
	pthread_mutex_unlock(&req.lock);
	return done;
}

int hsm_ioreq_client_create(void)
{
	req.client = true;
	return 0;
}

int hsm_ioreq_client_destroy(void)
{
	pthread_mutex_lock(&req.lock);
	req.client = false;
	pthread_cond_broadcast(&req.requested);
	pthread_mutex_unlock(&req.lock);
	return 0;
}

unsigned int hsm_ioreq_threads(void)
{
	return fake.vcpus;
}

int hsm_ioreq_next(uint32_t answered)
{
	int found;

	pthread_mutex_lock(&req.lock);
	for (unsigned int i = 0; i < fake.vcpus; i++) {
		if (answered & 1u << i)
			fake.page[i].state = ACRN_IOREQ_COMPLETE;
	}
	if (answered)
		pthread_cond_broadcast(&req.answered);
	while (!req.pending && req.client)
		pthread_cond_wait(&req.requested, &req.lock);
	found = req.client ? (int)req.pending : -ENODEV;
	req.pending = 0;
	pthread_mutex_unlock(&req.lock);
	return found;
}

int hsm_ioreq_clear(void)
{
	return 0;
}

/* --- running ---------------------------------------------------------------------------------------- */

void fake_event(uint32_t type)
{
	struct acrn_sbuf *ring = fake.event_page;
	struct acrn_vm_event e = { .type = type };
	uint64_t one = 1;

	if (!ring)
		return;
	memcpy((uint8_t *)(ring + 1) + ring->tail, &e, sizeof(e));
	__atomic_store_n(&ring->tail, (ring->tail + (uint32_t)sizeof(e)) % ring->size, __ATOMIC_RELEASE);
	if (write(fake.event_fd, &one, sizeof(one)) != (ssize_t)sizeof(one))
		log_err("event lost");
}

static bool port_exit(struct vcpu *v)
{
	uint8_t *data = (uint8_t *)v->run + v->run->io.data_offset;
	bool is_write = v->run->io.direction == KVM_EXIT_IO_OUT;
	uint8_t size = v->run->io.size;

	for (uint32_t i = 0; i < v->run->io.count; i++, data += size) {
		uint64_t value = 0;

		memcpy(&value, data, size);
		if (!request(v, ACRN_IOREQ_PORTIO, is_write, v->run->io.port, size, &value))
			return false;
		if (!is_write)
			memcpy(data, &value, size);
	}
	return true;
}

static bool mmio_exit(struct vcpu *v)
{
	uint64_t value = 0;

	memcpy(&value, v->run->mmio.data, sizeof(value));
	if (!request(v, ACRN_IOREQ_MMIO, v->run->mmio.is_write, v->run->mmio.phys_addr, v->run->mmio.len, &value))
		return false;
	if (!v->run->mmio.is_write)
		memcpy(v->run->mmio.data, &value, sizeof(value));
	return true;
}

/* As the hypervisor does: an event for those who listen, then what follows from it, at a port. */
static void fatal(struct vcpu *v, uint32_t event)
{
	bool is_reset = event == ACRN_VM_EVENT_TRIPLE_FAULT;
	uint64_t value = is_reset ? 6 : 5 << 10 | 1 << 13;

	fake_event(event);
	request(v, ACRN_IOREQ_PORTIO, true, is_reset ? 0xcf9 : 0x404, is_reset ? 1 : 2, &value);
}

static bool handle_exit(struct vcpu *v)
{
	switch (v->run->exit_reason) {
	case KVM_EXIT_IO:
		return port_exit(v);
	case KVM_EXIT_MMIO:
		return mmio_exit(v);
	case KVM_EXIT_INTR:
		return true;
	case KVM_EXIT_SHUTDOWN:
		fatal(v, ACRN_VM_EVENT_TRIPLE_FAULT);
		return false;
	default:
		log_err("vCPU %u: KVM exit %u", v->id, v->run->exit_reason);
		fatal(v, ACRN_VM_EVENT_POWEROFF);
		return false;
	}
}

static void on_kick(int signo)
{
	(void)signo;
}

static void *run_vcpu(void *arg)
{
	struct vcpu *v = arg;

	while (!stopping) {
		int err = fake_ioctl(v->fd, KVM_RUN, NULL);

		if (err == -EINTR || err == -EAGAIN)
			continue;
		if (err < 0) {
			log_err("vCPU %u: KVM_RUN: %s", v->id, strerror(-err));
			fake_event(ACRN_VM_EVENT_POWEROFF);
			break;
		}
		if (!handle_exit(v))
			break;
	}
	return NULL;
}

int fake_vcpus_start(void)
{
	struct sigaction sa = { .sa_handler = on_kick };
	int err = 0;

	sigaction(SIGUSR1, &sa, NULL);
	stopping = false;
	for (unsigned int i = 0; i < fake.vcpus && !err; i++) {
		err = -pthread_create(&vcpu[i].thread, NULL, run_vcpu, &vcpu[i]);
		vcpu[i].started = err == 0;
	}
	return err;
}

void fake_vcpus_stop(void)
{
	pthread_mutex_lock(&req.lock);
	stopping = true;
	pthread_cond_broadcast(&req.answered);
	pthread_mutex_unlock(&req.lock);
	for (unsigned int i = 0; i < fake.vcpus; i++) {
		if (!vcpu[i].started)
			continue;
		vcpu[i].run->immediate_exit = 1;
		pthread_kill(vcpu[i].thread, SIGUSR1);
		pthread_join(vcpu[i].thread, NULL);
		vcpu[i].started = false;
	}
}
