/* SPDX-License-Identifier: BSD-3-Clause */
/* The guest's requests: each vCPU's has a thread, nonsense is answered, missing memory comes. */
#include "unit.h"

#include <acrn/ioreq.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bus/io.h"
#include "bus/pci.h"
#include "confine.h"
#include "dm/fake_hsm_memory.h"
#include "dm/patience.h"
#include "hsm.h"
#include "ioreq.h"
#include "log.h"
#include "memory.h"
#include "vm.h"

#define MIB		(1ull << 20)
#define SLOW_PORT	0x100u
#define FAST_PORT	0x200u

static struct acrn_ioreq page[HSM_MAX_VCPUS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static uint32_t fresh, done;
static bool has_client;
static sem_t go_on;
static enum vm_request wanted;

void vm_request(enum vm_request what)
{
	wanted = what;
}

void confine_thread(enum confine_role role)
{
	assert_int_equal(role, CONFINE_VCPU);
}

uint32_t pci_cfg_read(uint16_t bdf, unsigned int reg, unsigned int size)
{
	return bdf == PCI_BDF(0, 3, 1) && size == 2 ? 0x1000 + reg : 0xdead;
}

void pci_cfg_write(uint16_t bdf, unsigned int reg, unsigned int size, uint32_t value)
{
	(void)bdf, (void)reg, (void)size, (void)value;
}

bool pci_ecam_holds(uint64_t addr, uint64_t *off)
{
	*off = addr - 0xe0000000;
	return addr >> 28 == 0xe;
}

struct acrn_ioreq *hsm_ioreq_page(void)
{
	return page;
}

static int set_client(bool on)
{
	pthread_mutex_lock(&lock);
	has_client = on;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	return 0;
}

int hsm_ioreq_client_create(void)
{
	return set_client(true);
}

int hsm_ioreq_client_destroy(void)
{
	return set_client(false);
}

unsigned int hsm_ioreq_threads(void)
{
	return 2;
}

int hsm_ioreq_next(uint32_t answered)
{
	uint32_t found;

	pthread_mutex_lock(&lock);
	done |= answered;
	pthread_cond_broadcast(&changed);
	while (has_client && !fresh)
		pthread_cond_wait(&changed, &lock);
	found = fresh & -fresh;
	fresh &= ~found;
	pthread_mutex_unlock(&lock);
	return found ? (int)found : -ENODEV;
}

static bool is_done(unsigned int vcpu)
{
	bool is;

	pthread_mutex_lock(&lock);
	is = done >> vcpu & 1;
	pthread_mutex_unlock(&lock);
	return is;
}

/* vCPU's next request. */
static void ask(unsigned int vcpu, uint32_t type, uint32_t direction, uint64_t address, uint64_t size)
{
	pthread_mutex_lock(&lock);
	page[vcpu] = (struct acrn_ioreq){ .type = type };
	page[vcpu].req.mmio.direction = direction;
	page[vcpu].req.mmio.address = address;
	page[vcpu].req.mmio.size = size;
	done &= ~(1u << vcpu);
	fresh |= 1u << vcpu;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static void slow(void *arg, uint64_t offset, struct io_access *a)
{
	(void)arg, (void)offset;
	sem_wait(&go_on);
	a->value = 0x11;
}

static void fast(void *arg, uint64_t offset, struct io_access *a)
{
	(void)arg, (void)offset;
	a->value = 0x22;
}

static int setup(void **state)
{
	static const struct io_range ranges[] = {
		{ .name = "slow", .space = IO_PORT, .base = SLOW_PORT, .len = 4, .handler = slow },
		{ .name = "fast", .space = IO_PORT, .base = FAST_PORT, .len = 4, .handler = fast },
	};

	(void)state;
	memset(&fake_hsm_memory, 0, sizeof(fake_hsm_memory));
	fake_hsm_memory.can_take_back = fake_hsm_memory.can_fetch = true;
	assert_int_equal(memory_init(64 * MIB, false), 0);
	assert_int_equal(memory_map_guest(true), 0);
	assert_int_equal(io_register(&ranges[0]), 0);
	assert_int_equal(io_register(&ranges[1]), 0);
	sem_init(&go_on, 0, 0);
	wanted = VM_NONE;
	return ioreq_start();
}

static int teardown(void **state)
{
	(void)state;
	ioreq_stop();
	io_exit();
	memory_exit();
	return 0;
}

static void one_vcpu_does_not_wait_for_anothers_device(void **state)
{
	(void)state;
	ask(0, ACRN_IOREQ_PORTIO, ACRN_IOREQ_READ, SLOW_PORT, 1);
	for (unsigned int i = 0; i < 100; i++) {
		ask(1, ACRN_IOREQ_PORTIO, ACRN_IOREQ_READ, FAST_PORT, 1);
		assert_true(BECOMES(is_done(1)));
		assert_int_equal(page[1].req.pio.value, 0x22);
	}
	assert_false(is_done(0));
	sem_post(&go_on);
	assert_true(BECOMES(is_done(0)));
	assert_int_equal(page[0].req.pio.value, 0x11);
}

static void nonsense_is_answered_with_ones(void **state)
{
	static const struct {
		uint32_t type;
		uint64_t address, size;
	} bad[] = {
		{ ACRN_IOREQ_PORTIO, FAST_PORT, 3 }, { ACRN_IOREQ_PORTIO, FAST_PORT, 8 },
		{ ACRN_IOREQ_PORTIO, 0x10000 + FAST_PORT, 1 }, { ACRN_IOREQ_MMIO, FAST_PORT, 1ull << 32 },
		{ ACRN_IOREQ_MMIO, 0xe0000001, 4 }, { 77, FAST_PORT, 1 },
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ask(0, bad[i].type, ACRN_IOREQ_READ, bad[i].address, bad[i].size);
		assert_true(BECOMES(is_done(0)));
		assert_int_equal((uint32_t)page[0].req.mmio.value, 0xffffffff);
	}
}

static void configuration_is_read_both_ways(void **state)
{
	(void)state;
	ask(0, ACRN_IOREQ_PCICFG, ACRN_IOREQ_READ, 2, 2);
	assert_true(BECOMES(is_done(0)));
	ask(1, ACRN_IOREQ_MMIO, ACRN_IOREQ_READ, 0xe0000000 + ((3 << 3 | 1) << 12) + 0x40, 2);
	assert_true(BECOMES(is_done(1)));
	assert_int_equal(page[1].req.mmio.value, 0x1040);
}

static void memory_that_is_missing_comes(void **state)
{
	(void)state;
	assert_int_equal(mem_take(6 * MIB), 0);
	assert_int_equal(fake_hsm_memory.mapped[3], 0);
	ask(0, ACRN_IOREQ_FETCH, ACRN_IOREQ_WRITE, 7 * MIB + 123, 8);
	assert_true(BECOMES(is_done(0)));
	assert_int_equal(fake_hsm_memory.mapped[3], 1);
	assert_int_equal(wanted, VM_NONE);
	/* when the Service VM has none, there is no going on */
	assert_int_equal(mem_take(6 * MIB), 0);
	fake_hsm_memory.error = -ENOMEM;
	ask(0, ACRN_IOREQ_FETCH, ACRN_IOREQ_WRITE, 6 * MIB, 8);
	assert_true(BECOMES(is_done(0)));
	assert_int_equal(wanted, VM_FAILED);
	ask(0, ACRN_IOREQ_FETCH, ACRN_IOREQ_WRITE, 1ull << 40, 8);
	assert_true(BECOMES(is_done(0)));
}

static void a_long_start_tells_how_far_it_is(void **state)
{
	char text[4096] = "";
	int err = dup(2), fd[2];

	(void)state;
	fake_hsm_memory.slow_ms = 100;
	memory_exit();
	assert_int_equal(memory_init(64 * MIB, false), 0);
	assert_int_equal(pipe(fd), 0);
	dup2(fd[1], 2);
	assert_int_equal(memory_map_guest(true), 0);
	dup2(err, 2);
	close(err);
	assert_true(read(fd[0], text, sizeof(text) - 1) > 0);
	assert_non_null(strstr(text, "of 64 MiB of its memory"));
	close(fd[0]);
	close(fd[1]);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(one_vcpu_does_not_wait_for_anothers_device),
		TEST(nonsense_is_answered_with_ones),
		TEST(configuration_is_read_both_ways),
		TEST(memory_that_is_missing_comes),
		TEST(a_long_start_tells_how_far_it_is),
	};

	return cmocka_run_group_tests_name("ioreq", tests, NULL, NULL);
}
