// SPDX-License-Identifier: BSD-3-Clause
/* The trip of an I/O request: guest, interrupt, DM, answer; and everything that can go wrong on it. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

#define READ ACRN_IOREQ_READ
#define WRITE ACRN_IOREQ_WRITE

static void guest(const struct vm *vm, unsigned int vcpu, unsigned int type, unsigned int dir,
		  uint64_t addr, unsigned int size, uint64_t value)
{
	FAKE("request %u %u %u %u 0x%lx %u 0x%lx", vm->id, vcpu, type, dir, addr, size, value);
}

static long notify(const struct vm *vm, unsigned int vcpu)
{
	struct acrn_ioreq_notify n = { .vcpu = vcpu };

	return iop(vm->fd, ACRN_IOCTL_NOTIFY_REQUEST_FINISH, &n);
}

static long next(const struct vm *vm, unsigned long arg)
{
	return io(vm->fd, ACRN_IOCTL_IOREQ_NEXT, arg);
}

static long attach(const struct vm *vm)
{
	return io(vm->fd, ACRN_IOCTL_ATTACH_IOREQ_CLIENT, 0);
}

TEST(attach_notify, "as the original's DM does it: ATTACH, look at the slots, NOTIFY")
{
	struct vm vm = vm_running(2);
	unsigned long before = upcalls();

	for (unsigned int round = 1; round <= 20; round++) {
		volatile struct acrn_ioreq *slot = &vm.page->slot[round & 1];

		guest(&vm, round & 1, ACRN_IOREQ_PORTIO, READ, 0x3F8, 1, 0);
		CHECK_EQ(attach(&vm), 0);
		CHECK_EQ(slot->state, ACRN_IOREQ_PROCESSING);
		CHECK_EQ(slot->kernel_handled, 0);
		CHECK_EQ(slot->req.pio.address, 0x3F8);
		slot->req.pio.value = round;
		CHECK_EQ(notify(&vm, round & 1), 0);
		CHECK_EQ(fake_slot(&vm, round & 1).done, (round + 1) / 2);
		CHECK_EQ(fake_slot(&vm, round & 1).value, round);
	}
	CHECK(upcalls() >= before + 20);
}

TEST(next_loop, "IOREQ_NEXT answers and waits in one call, for several vCPUs")
{
	struct vm vm = vm_running(3);
	unsigned long got;

	guest(&vm, 0, ACRN_IOREQ_MMIO, WRITE, 0xFEB00000, 8, 0x1122334455667788);
	CHECK_EQ(next(&vm, 0), 1);
	CHECK_EQ(vm.page->slot[0].req.mmio.value, 0x1122334455667788);
	guest(&vm, 2, ACRN_IOREQ_PORTIO, WRITE, 0x80, 1, 1);
	CHECK_EQ(next(&vm, 1), 4);
	CHECK_EQ(fake_slot(&vm, 0).done, 1);
	CHECK_EQ(fake_slot(&vm, 2).done, 0);
	guest(&vm, 0, ACRN_IOREQ_PORTIO, READ, 0x60, 1, 0);
	guest(&vm, 1, ACRN_IOREQ_PORTIO, READ, 0x60, 1, 0);
	for (got = 0; got != 3;)
		got |= next(&vm, 0);
	vm.page->slot[0].req.pio.value = 0xA0;
	vm.page->slot[1].req.pio.value = 0xA1;
	CHECK_EQ(next(&vm, 7 | ACRN_IOREQ_NEXT_NONBLOCK), -EAGAIN);
	CHECK_EQ(fake_slot(&vm, 0).value, 0xA0);
	CHECK_EQ(fake_slot(&vm, 1).value, 0xA1);
	CHECK_EQ(fake_slot(&vm, 2).done, 1);
}

TEST(next_errors, "IOREQ_NEXT: unknown bits, vCPUs that do not exist, no client")
{
	struct vm vm = vm_running(2), bare = vm_new(1);

	guest(&vm, 0, ACRN_IOREQ_PORTIO, WRITE, 0x80, 1, 1);
	CHECK_EQ(next(&vm, 0), 1);
	CHECK_EQ(next(&vm, 1 | 4), -EINVAL);
	CHECK_EQ(next(&vm, 1 | 1ul << 17), -EINVAL);
	CHECK_EQ(next(&vm, 1 | 1ul << 40), -EINVAL);
	CHECK_EQ(fake_slot(&vm, 0).done, 0);
	CHECK_EQ(next(&bare, 0), -ENODEV);
	CHECK_EQ(next(&vm, 1 | ACRN_IOREQ_NEXT_NONBLOCK), -EAGAIN);
	CHECK_EQ(fake_slot(&vm, 0).done, 1);
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void alarm_soon(void)
{
	struct sigaction sa = { .sa_handler = on_alarm };

	sigaction(SIGALRM, &sa, NULL);
	ualarm(50000, 0);
}

TEST(signals, "a signal ends ATTACH with 0, as the original's DM needs it, and IOREQ_NEXT with EINTR")
{
	struct vm vm = vm_running(1);

	alarm_soon();
	CHECK_EQ(attach(&vm), 0);
	alarm_soon();
	CHECK_EQ(next(&vm, 0), -EINTR);
	FAKE("extensions %d", 1);
	alarm_soon();
	CHECK_EQ(next(&vm, 0), -EINTR);
}

struct waiter {
	struct vm *vm;
	bool use_next;
	long result;
};

static void *wait_in_thread(void *arg)
{
	struct waiter *w = arg;

	w->result = w->use_next ? next(w->vm, 0) : attach(w->vm);
	return NULL;
}

TEST(client_gone, "a client destroyed under its waiters: they get ENODEV")
{
	struct vm vm = vm_running(1);
	struct waiter w[4];
	pthread_t t[4];

	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < 4; i++) {
			w[i] = (struct waiter){ .vm = &vm, .use_next = i & 1 };
			pthread_create(&t[i], NULL, wait_in_thread, &w[i]);
		}
		usleep(20000);
		CHECK_EQ(io(vm.fd, ACRN_IOCTL_DESTROY_IOREQ_CLIENT, 0), 0);
		for (int i = 0; i < 4; i++) {
			pthread_join(t[i], NULL);
			CHECK_EQ(w[i].result, -ENODEV);
		}
		CHECK_EQ(attach(&vm), -ENODEV);
		CHECK_EQ(io(vm.fd, ACRN_IOCTL_CREATE_IOREQ_CLIENT, 0), 0);
	}
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_CREATE_IOREQ_CLIENT, 0), -EEXIST);
}

TEST(vm_gone, "a VM destroyed under its waiters: they get ENODEV")
{
	struct vm vm = vm_running(1);
	struct waiter w = { &vm, true, 0 };
	pthread_t t;

	pthread_create(&t, NULL, wait_in_thread, &w);
	usleep(20000);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_PAUSE_VM, 0), 0);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_DESTROY_VM, 0), 0);
	pthread_join(t, NULL);
	CHECK_EQ(w.result, -ENODEV);
}

TEST(client_gone_busy, "requests that a client leaves unanswered are answered with all ones")
{
	struct vm vm = vm_running(2);

	guest(&vm, 0, ACRN_IOREQ_PORTIO, READ, 0x60, 1, 0);
	CHECK_EQ(attach(&vm), 0);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_DESTROY_IOREQ_CLIENT, 0), 0);
	CHECK_EQ(fake_slot(&vm, 0).done, 1);
	CHECK_EQ(fake_slot(&vm, 0).value, 0xFFFFFFFF);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_DESTROY_IOREQ_CLIENT, 0), 0);
	CHECK_EQ(notify(&vm, 0), 0);
}

TEST(no_client, "without a client reads give all ones, writes vanish, nobody hangs")
{
	struct vm vm = vm_new(1);

	CHECK_EQ(io(vm.fd, ACRN_IOCTL_START_VM, 0), 0);
	guest(&vm, 0, ACRN_IOREQ_MMIO, READ, 0xFEB00000, 8, 0);
	wait_done(&vm, 0, 1);
	CHECK_EQ(fake_slot(&vm, 0).value, UINT64_MAX);
	guest(&vm, 0, ACRN_IOREQ_PORTIO, WRITE, 0x80, 4, 5);
	wait_done(&vm, 0, 2);
}

TEST(notify_errors, "NOTIFY: reserved word, wrong vCPU; no client or nothing to answer is no error")
{
	struct vm vm = vm_running(2), bare = vm_new(1);
	struct acrn_ioreq_notify n = { .reserved = 1 };

	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_NOTIFY_REQUEST_FINISH, &n), -EINVAL);
	CHECK_EQ(notify(&vm, 2), -EINVAL);
	CHECK_EQ(notify(&vm, 0xFFFFFFFF), -EINVAL);
	CHECK_EQ(notify(&bare, 0), 0);
	CHECK_EQ(notify(&vm, 1), 0);
	CHECK_EQ(fake_count(0x31), 0);
	CHECK_EQ(vm.page->slot[1].state, ACRN_IOREQ_FREE);
}

/* Ends with the request answered, so that the slot is free for the next one. */
static void expect_dm(const struct vm *vm, unsigned int type)
{
	CHECK_EQ(next(vm, 0), 1);
	CHECK_EQ(vm->page->slot[0].type, type);
	vm->page->slot[0].req.pio.value = 0x77;
	CHECK_EQ(notify(vm, 0), 0);
}

TEST(pci, "ports 0xCF8 and 0xCFC become PCI config requests; 0xCF9 does not")
{
	struct vm vm = vm_running(1);
	volatile struct acrn_ioreq *slot = &vm.page->slot[0];

	guest(&vm, 0, ACRN_IOREQ_PORTIO, READ, 0xCFC, 4, 0); /* nothing latched yet */
	wait_done(&vm, 0, 1);
	CHECK_EQ(fake_slot(&vm, 0).value, 0xFFFFFFFF);
	guest(&vm, 0, ACRN_IOREQ_PORTIO, WRITE, 0xCF8, 4, 0x83021A44);
	wait_done(&vm, 0, 2);
	guest(&vm, 0, ACRN_IOREQ_PORTIO, READ, 0xCF8, 4, 0);
	wait_done(&vm, 0, 3);
	CHECK_EQ(fake_slot(&vm, 0).value, 0x83021A44);
	guest(&vm, 0, ACRN_IOREQ_PORTIO, READ, 0xCFE, 2, 0);
	CHECK_EQ(next(&vm, 0), 1);
	CHECK_EQ(slot->type, ACRN_IOREQ_PCICFG);
	CHECK_EQ(slot->req.pci.bus, 2);
	CHECK_EQ(slot->req.pci.dev, 3);
	CHECK_EQ(slot->req.pci.func, 2);
	CHECK_EQ(slot->req.pci.reg, 0x346);
	CHECK_EQ(slot->req.pci.size, 2);
	CHECK_EQ(slot->req.pci.direction, READ);
	slot->req.pci.value = 0xBEEF;
	CHECK_EQ(notify(&vm, 0), 0);
	CHECK_EQ(fake_slot(&vm, 0).value, 0xBEEF);
	guest(&vm, 0, ACRN_IOREQ_PORTIO, WRITE, 0xCF9, 1, 6);
	expect_dm(&vm, ACRN_IOREQ_PORTIO);
	guest(&vm, 0, ACRN_IOREQ_PORTIO, WRITE, 0xCF8, 1, 0);
	expect_dm(&vm, ACRN_IOREQ_PORTIO);
	guest(&vm, 0, ACRN_IOREQ_MMIO, WRITE, 0xCF8, 4, 0);
	expect_dm(&vm, ACRN_IOREQ_MMIO);
	guest(&vm, 0, ACRN_IOREQ_PORTIO, READ, 0xCF8, 4, 0);
	wait_done(&vm, 0, 8);
	CHECK_EQ(fake_slot(&vm, 0).value, 0x83021A44);
}

TEST(clear, "CLEAR_VM_IOREQ ends what is under way, without a value")
{
	struct vm vm = vm_running(2);

	guest(&vm, 0, ACRN_IOREQ_PORTIO, READ, 0x60, 1, 0x55);
	guest(&vm, 1, ACRN_IOREQ_PORTIO, READ, 0x60, 1, 0x66);
	CHECK_EQ(attach(&vm), 0);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_CLEAR_VM_IOREQ, 0), 0);
	wait_done(&vm, 0, 1);
	wait_done(&vm, 1, 1);
	CHECK_EQ(fake_slot(&vm, 0).value, 0x55);
	CHECK_EQ(next(&vm, ACRN_IOREQ_NEXT_NONBLOCK), -EAGAIN);
}

TEST(reset, "an answer that comes after RESET_VM does not touch the slot")
{
	struct vm vm = vm_running(2);

	guest(&vm, 0, ACRN_IOREQ_PORTIO, WRITE, 0x64, 1, 0xFE);
	guest(&vm, 1, ACRN_IOREQ_PORTIO, READ, 0x60, 1, 0);
	CHECK(next(&vm, 0) > 0);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_PAUSE_VM, 0), 0);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_RESET_VM, 0), 0);
	CHECK_EQ(next(&vm, 3 | ACRN_IOREQ_NEXT_NONBLOCK), -EAGAIN);
	CHECK_EQ(notify(&vm, 1), 0);
	CHECK_EQ(vm.page->slot[0].state, ACRN_IOREQ_FREE);
	CHECK_EQ(vm.page->slot[1].state, ACRN_IOREQ_FREE);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_START_VM, 0), 0);
	guest(&vm, 0, ACRN_IOREQ_PORTIO, WRITE, 0x80, 1, 1);
	CHECK_EQ(next(&vm, 0), 1);
}

TEST(polling, "a vCPU that polls for completion is not told by hypercall")
{
	struct vm vm = vm_running(1);

	FAKE("polling %u 0 1", vm.id);
	guest(&vm, 0, ACRN_IOREQ_PORTIO, WRITE, 0x80, 1, 1);
	CHECK_EQ(next(&vm, 0), 1);
	CHECK_EQ(notify(&vm, 0), 0);
	CHECK_EQ(vm.page->slot[0].state, ACRN_IOREQ_COMPLETE);
	CHECK_EQ(fake_count(0x31), 0);
	guest(&vm, 0, ACRN_IOREQ_PORTIO, WRITE, 0x80, 1, 1);
	CHECK_EQ(next(&vm, 0), 1);
}

TEST(polled_fd, "poll(): readable while a request waits to be fetched, hang-up when the VM is gone")
{
	struct vm vm = vm_running(1);
	struct pollfd p = { .fd = vm.fd, .events = POLLIN };

	CHECK_EQ(poll(&p, 1, 0), 0);
	guest(&vm, 0, ACRN_IOREQ_PORTIO, WRITE, 0x80, 1, 1);
	CHECK_EQ(poll(&p, 1, 2000), 1);
	CHECK_EQ(p.revents, POLLIN);
	CHECK_EQ(next(&vm, ACRN_IOREQ_NEXT_NONBLOCK), 1);
	CHECK_EQ(poll(&p, 1, 0), 0);
	CHECK_EQ(notify(&vm, 0), 0);
	guest(&vm, 0, ACRN_IOREQ_PORTIO, WRITE, 0x80, 1, 1);
	CHECK_EQ(poll(&p, 1, 2000), 1);
	CHECK_EQ(notify(&vm, 0), 0); /* without fetching it */
	CHECK_EQ(poll(&p, 1, 0), 0);
	io(vm.fd, ACRN_IOCTL_PAUSE_VM, 0);
	io(vm.fd, ACRN_IOCTL_DESTROY_VM, 0);
	CHECK_EQ(poll(&p, 1, 0), 1);
	CHECK(p.revents & POLLHUP);
}

TEST(hypervisor_wait, "where the hypervisor can wait, answering and waiting are one hypercall")
{
	struct vm vm = vm_running(2);
	unsigned int told;

	FAKE("extensions %d", 1);
	guest(&vm, 0, ACRN_IOREQ_PORTIO, WRITE, 0x80, 1, 1);
	CHECK_EQ(next(&vm, 0), 1);
	/* the guest does it again and again; whoever else needs this CPU makes us fall back once */
	FAKE("repeat %u 0 1", vm.id);
	for (unsigned int i = 1; i <= 50; i++) {
		alarm_soon();
		if (next(&vm, 1) == -EINTR) {
			guest(&vm, 0, ACRN_IOREQ_PORTIO, WRITE, 0x80, 1, 1);
			CHECK_EQ(attach(&vm), 0);
		}
		CHECK_EQ(fake_slot(&vm, 0).done, i);
	}
	told = fake_count(0x31);
	CHECK(told < 25);
	CHECK(fake_count(0xC0) >= 50 - told);
}

/* The page is the DM's memory: it may write there what it likes, at any time. */
TEST(hostile_page, "a DM that scribbles over its request page harms only itself")
{
	struct vm vm = vm_running(4), other = vm_running(1);

	for (int i = 0; i < 300; i++) {
		memset((void *)vm.page, i, PAGE);
		for (unsigned int s = 0; s < 16; s++)
			vm.page->slot[s].state = i % 5;
		FAKE("upcall");
		next(&vm, ACRN_IOREQ_NEXT_NONBLOCK | (i & 15));
		notify(&vm, i & 3);
	}
	guest(&other, 0, ACRN_IOREQ_PORTIO, WRITE, 0x80, 1, 1);
	CHECK_EQ(next(&other, 0), 1);
}
