/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * acrn-dm with a guest that never runs, for tests only: the same hsm.h, linked in place of acrn-dm/hsm.c. All of the
 * program is there, its devices, threads, sockets and confinement; two vCPUs wait for ever.
 */
#include "hsm.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/mman.h>

#define VCPUS	2

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;
static bool has_client;
static void *page;

int hsm_create_vm(const struct hsm_vm_config *cfg, struct hsm_vm_info *info)
{
	(void)cfg;
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return -errno;
	*info = (struct hsm_vm_info){ .vmid = 1, .vcpu_num = VCPUS };
	return 0;
}

void hsm_destroy_vm(void)
{
}

int hsm_start_vm(void)
{
	return 0;
}

int hsm_pause_vm(void)
{
	return 0;
}

bool hsm_can_resume(void)
{
	return true;
}

int hsm_reset_vm(void)
{
	return 0;
}

int hsm_set_vcpu_regs(const struct acrn_vcpu_regs *regs)
{
	(void)regs;
	return 0;
}

uint32_t hsm_tsc_khz(void)
{
	return 0;
}

struct acrn_ioreq *hsm_ioreq_page(void)
{
	return page;
}

int hsm_map_ram(uint64_t gpa, void *hva, uint64_t len, uint32_t prot)
{
	(void)gpa;
	(void)hva;
	(void)len;
	(void)prot;
	return 0;
}

int hsm_unmap(uint64_t gpa, uint64_t len)
{
	(void)gpa;
	(void)len;
	return 0;
}

int hsm_inject_msi(uint64_t addr, uint64_t data)
{
	(void)addr;
	(void)data;
	return 0;
}

int hsm_set_irqline(uint32_t gsi, enum hsm_line op)
{
	(void)gsi;
	(void)op;
	return 0;
}

static void set_client(bool on)
{
	pthread_mutex_lock(&lock);
	has_client = on;
	pthread_cond_broadcast(&ended);
	pthread_mutex_unlock(&lock);
}

int hsm_ioreq_client_create(void)
{
	set_client(true);
	return 0;
}

int hsm_ioreq_client_destroy(void)
{
	set_client(false);
	return 0;
}

unsigned int hsm_ioreq_threads(void)
{
	return VCPUS;
}

int hsm_ioreq_next(uint32_t answered)
{
	(void)answered;
	pthread_mutex_lock(&lock);
	while (has_client)
		pthread_cond_wait(&ended, &lock);
	pthread_mutex_unlock(&lock);
	return -ENODEV;
}

int hsm_ioreq_clear(void)
{
	return 0;
}

int hsm_ioeventfd_assign(const struct hsm_ioeventfd *e)
{
	(void)e;
	return -ENOTTY;
}

int hsm_ioeventfd_deassign(const struct hsm_ioeventfd *e)
{
	(void)e;
	return -ENOTTY;
}

int hsm_irqfd_assign(int fd, uint64_t addr, uint64_t data)
{
	(void)fd;
	(void)addr;
	(void)data;
	return -ENOTTY;
}

int hsm_irqfd_deassign(int fd)
{
	(void)fd;
	return -ENOTTY;
}

int hsm_vm_events_setup(void *events, int event_fd)
{
	(void)events;
	(void)event_fd;
	return -ENOTTY;
}
