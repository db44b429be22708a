// SPDX-License-Identifier: BSD-3-Clause
/* eventfds in both directions, and the rings in which the hypervisor leaves doorbells and events. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <acrn/sbuf.h>

#include "harness.h"

static int event(void)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

/* Waits a little for the eventfd; its count, 0 if nothing comes. */
static uint64_t rung(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t count = 0;

	if (poll(&p, 1, 200) == 1)
		CHECK_EQ(read(fd, &count, 8), 8);
	return count;
}

static long ioeventfd(const struct vm *vm, int fd, unsigned int flags, uint64_t addr, unsigned int len,
		      uint64_t data)
{
	struct acrn_ioeventfd e = {
		.fd = fd, .flags = flags, .addr = addr, .len = len, .data = data };

	return iop(vm->fd, ACRN_IOCTL_IOEVENTFD, &e);
}

static void guest_write(const struct vm *vm, unsigned int type, uint64_t addr, unsigned int size,
			uint64_t value)
{
	FAKE("request %u 0 %u 1 0x%lx %u 0x%lx", vm->id, type, addr, size, value);
}

TEST(bell, "ioeventfd: a guest's write rings the eventfd and the DM does not see it")
{
	struct vm vm = vm_running(1);
	int a = event(), b = event(), c = event();
	unsigned int done = 0;

	CHECK_EQ(ioeventfd(&vm, a, ACRN_IOEVENTFD_PIO, 0xC010, 2, 0), 0);
	CHECK_EQ(ioeventfd(&vm, b, ACRN_IOEVENTFD_DATAMATCH, 0xFEB00000, 4, 7), 0);
	CHECK_EQ(ioeventfd(&vm, c, ACRN_IOEVENTFD_DATAMATCH, 0xFEB00000, 4, 8), 0);
	guest_write(&vm, ACRN_IOREQ_PORTIO, 0xC010, 2, 0x1234);
	wait_done(&vm, 0, ++done);
	CHECK_EQ(rung(a), 1);
	guest_write(&vm, ACRN_IOREQ_PORTIO, 0xC010, 1, 0);
	wait_done(&vm, 0, ++done);
	CHECK_EQ(rung(a), 1);
	guest_write(&vm, ACRN_IOREQ_MMIO, 0xFEB00000, 4, 8);
	wait_done(&vm, 0, ++done);
	CHECK_EQ(rung(c), 1);
	CHECK_EQ(rung(b), 0);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_IOREQ_NEXT, ACRN_IOREQ_NEXT_NONBLOCK), -EAGAIN);
	/* other data, other size, other space, beside it: the DM's */
	guest_write(&vm, ACRN_IOREQ_MMIO, 0xFEB00000, 4, 9);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_IOREQ_NEXT, 0), 1);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_IOREQ_NEXT, 1 | ACRN_IOREQ_NEXT_NONBLOCK), -EAGAIN);
	guest_write(&vm, ACRN_IOREQ_PORTIO, 0xC010, 4, 0);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_IOREQ_NEXT, 0), 1);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_IOREQ_NEXT, 1 | ACRN_IOREQ_NEXT_NONBLOCK), -EAGAIN);
	guest_write(&vm, ACRN_IOREQ_PORTIO, 0xC011, 1, 0);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_IOREQ_NEXT, 0), 1);
	CHECK_EQ(rung(a) + rung(b) + rung(c), 0);
}

TEST(bell_read, "ioeventfd: a read of that address goes to the DM")
{
	struct vm vm = vm_running(1);
	int a = event();

	CHECK_EQ(ioeventfd(&vm, a, ACRN_IOEVENTFD_PIO, 0xC010, 2, 0), 0);
	FAKE("request %u 0 0 0 0xC010 2 0", vm.id);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_IOREQ_NEXT, 0), 1);
	CHECK_EQ(rung(a), 0);
}

TEST(bell_errors, "ioeventfd: length, overflow, reserved word, no eventfd, conflict")
{
	struct vm vm = vm_running(1);
	int a = event(), b = event(), file = open("/dev/null", O_RDWR);
	struct acrn_ioeventfd e = { .fd = a, .addr = 0x1000, .len = 4, .reserved = 1 };

	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_IOEVENTFD, &e), -EINVAL);
	CHECK_EQ(ioeventfd(&vm, a, 0, 0x1000, 0, 0), -EINVAL);
	CHECK_EQ(ioeventfd(&vm, a, 0, 0x1000, 3, 0), -EINVAL);
	CHECK_EQ(ioeventfd(&vm, a, 0, 0x1000, 16, 0), -EINVAL);
	CHECK_EQ(ioeventfd(&vm, a, 0, UINT64_MAX - 2, 4, 0), -EINVAL);
	CHECK_EQ(ioeventfd(&vm, -1, 0, 0x1000, 4, 0), -EBADF);
	CHECK_EQ(ioeventfd(&vm, file, 0, 0x1000, 4, 0), -EINVAL);
	CHECK_EQ(ioeventfd(&vm, a, ACRN_IOEVENTFD_DATAMATCH, 0x1000, 4, 1), 0);
	CHECK_EQ(ioeventfd(&vm, a, ACRN_IOEVENTFD_DATAMATCH, 0x1000, 4, 1), -EEXIST);
	CHECK_EQ(ioeventfd(&vm, a, 0, 0x1000, 4, 0), -EEXIST);
	CHECK_EQ(ioeventfd(&vm, a, ACRN_IOEVENTFD_DATAMATCH, 0x1000, 4, 2), 0);
	CHECK_EQ(ioeventfd(&vm, a, ACRN_IOEVENTFD_PIO, 0x1000, 4, 0), 0);
	CHECK_EQ(ioeventfd(&vm, b, 0, 0x1000, 4, 0), 0);
}

TEST(bell_deassign, "ioeventfd: de-assigned by eventfd and address; none there is no error")
{
	struct vm vm = vm_running(1);
	int a = event(), b = event();

	CHECK_EQ(ioeventfd(&vm, a, 0, 0x1000, 4, 0), 0);
	CHECK_EQ(ioeventfd(&vm, a, 0, 0x2000, 4, 0), 0);
	CHECK_EQ(ioeventfd(&vm, b, ACRN_IOEVENTFD_DEASSIGN, 0x1000, 4, 0), 0);
	CHECK_EQ(ioeventfd(&vm, a, ACRN_IOEVENTFD_DEASSIGN, 0x2000, 4, 0), 0);
	guest_write(&vm, ACRN_IOREQ_MMIO, 0x1000, 4, 0);
	CHECK_EQ(rung(a), 1);
	CHECK_EQ(ioeventfd(&vm, a, ACRN_IOEVENTFD_DEASSIGN, 0, 0, 0), 0);
	guest_write(&vm, ACRN_IOREQ_MMIO, 0x1000, 4, 0);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_IOREQ_NEXT, 0), 1);
	CHECK_EQ(ioeventfd(&vm, -1, ACRN_IOEVENTFD_DEASSIGN, 0, 0, 0), -EBADF);
}

TEST(bell_limit, "ioeventfd: the list is bounded, also for closed eventfds")
{
	struct vm vm = vm_running(1);
	long ret = 0;

	for (int i = 0; i < 1000 && !ret; i++) {
		int fd = event();

		ret = ioeventfd(&vm, fd, 0, 0x1000 + 8 * i, 4, 0);
		close(fd);
	}
	CHECK_EQ(ret, -ENOSPC);
}

static struct acrn_sbuf *ring_page(unsigned int ele_size)
{
	struct acrn_sbuf *sb = memory(PAGE);

	sb->magic = ACRN_SBUF_MAGIC;
	sb->ele_size = ele_size;
	sb->ele_num = (PAGE - sizeof(*sb)) / ele_size;
	sb->size = sb->ele_num * ele_size;
	return sb;
}

TEST(async, "asyncio: the cookie is no pointer, and a forged or stale one rings nothing")
{
	struct vm vm = vm_running(1);
	struct acrn_sbuf *sb = ring_page(8);
	int a = event(), b = event();
	uint64_t first, second;

	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_SETUP_ASYNCIO, sb), 0);
	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_SETUP_ASYNCIO, sb), -EEXIST);
	CHECK_EQ(ioeventfd(&vm, a, ACRN_IOEVENTFD_ASYNCIO, 0x1000, 4, 0), 0);
	first = fake_last(0x32)->detail[0];
	CHECK(first < 1ull << 40);
	FAKE("ring %u 0x%lx", vm.id, first);
	CHECK_EQ(rung(a), 1);
	for (uint64_t i = 0; i < 100; i++)
		CHECK_EQ(fake("ring %u 0x%lx", vm.id, first + 1 + i), 0);
	FAKE("ring %u 0x%lx", vm.id, 0xFFFF888000001000);
	CHECK_EQ(rung(a), 0);
	CHECK_EQ(ioeventfd(&vm, a, ACRN_IOEVENTFD_DEASSIGN, 0x1000, 4, 0), 0);
	CHECK_EQ(fake_last(0x33)->detail[0], first);
	CHECK_EQ(ioeventfd(&vm, b, ACRN_IOEVENTFD_ASYNCIO, 0x1000, 4, 0), 0);
	second = fake_last(0x32)->detail[0];
	CHECK(first != second);
	FAKE("ring %u 0x%lx", vm.id, first);
	CHECK_EQ(rung(b), 0);
	FAKE("ring %u 0x%lx", vm.id, second);
	CHECK_EQ(rung(b), 1);
	/* also as a request: the hypervisor's way out when the ring is full */
	guest_write(&vm, ACRN_IOREQ_MMIO, 0x1000, 4, 0);
	CHECK_EQ(rung(b), 1);
}

TEST(async_hostile, "asyncio: geometry and indices in the DM's page are not believed")
{
	struct vm vm = vm_running(1);
	struct acrn_sbuf *sb = ring_page(8);
	static const uint32_t tails[] = { 1, 4, 4032, 4040, 0x7FFFFFF8, 0xFFFFFFF8 };
	int a = event();

	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_SETUP_ASYNCIO, sb), 0);
	CHECK_EQ(ioeventfd(&vm, a, ACRN_IOEVENTFD_ASYNCIO, 0x1000, 4, 0), 0);
	sb->size = 0xFFFFFFF8;
	sb->ele_size = 0;
	for (int i = 0; i < 6; i++) {
		sb->tail = tails[i];
		sb->head = ~tails[i];
		FAKE("upcall");
	}
	sb->tail = 0;
	sb->size = 4032;
	FAKE("ring %u 0x%lx", vm.id, fake_last(0x32)->detail[0]);
	CHECK(rung(a) <= 1);
}

TEST(async_setup, "asyncio: SETUP refuses what is no ring; without one flag 8 is a plain ioeventfd")
{
	struct vm vm = vm_running(1);
	struct acrn_sbuf *sb = ring_page(8);
	int a = event();
	long before = pinned();

	CHECK_EQ(ioeventfd(&vm, a, ACRN_IOEVENTFD_ASYNCIO, 0x1000, 4, 0), 0);
	guest_write(&vm, ACRN_IOREQ_MMIO, 0x1000, 4, 0);
	CHECK_EQ(rung(a), 1);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_SETUP_ASYNCIO, 0), -EFAULT);
	sb->ele_size = 16;
	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_SETUP_ASYNCIO, sb), -EINVAL);
	sb->ele_size = 8;
	sb->ele_num++;
	sb->size += 8;
	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_SETUP_ASYNCIO, sb), -EINVAL);
	sb->ele_num = 0x20000001;
	sb->size = 8;
	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_SETUP_ASYNCIO, sb), -EINVAL);
	sb = ring_page(8);
	sb->magic++;
	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_SETUP_ASYNCIO, sb), -EINVAL);
	sb->magic--;
	FAKE("fail 0x44 %d 1 0", ENOTTY);
	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_SETUP_ASYNCIO, sb), -ENOTTY);
	CHECK_EQ(pinned(), before);
	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_SETUP_ASYNCIO, sb), 0);
	FAKE("fail 0x32 %d 1 0", ENOTTY);
	CHECK_EQ(ioeventfd(&vm, a, ACRN_IOEVENTFD_ASYNCIO, 0x2000, 4, 0), 0);
	guest_write(&vm, ACRN_IOREQ_MMIO, 0x2000, 4, 0);
	CHECK_EQ(rung(a), 1);
}

TEST(vm_events, "VM events ring their eventfd once an event")
{
	struct vm vm = vm_running(1);
	struct acrn_sbuf *sb = ring_page(32);
	int a = event();

	CHECK_EQ(io(vm.fd, ACRN_IOCTL_SETUP_VM_EVENT_FD, -1), -EBADF);
	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_SETUP_VM_EVENT_RING, ring_page(8)), -EINVAL);
	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_SETUP_VM_EVENT_RING, sb), 0);
	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_SETUP_VM_EVENT_RING, sb), -EEXIST);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_SETUP_VM_EVENT_FD, a), 0);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_SETUP_VM_EVENT_FD, a), -EEXIST);
	FAKE("event %u %u", vm.id, ACRN_VM_EVENT_TRIPLE_FAULT);
	CHECK_EQ(rung(a), 1);
	FAKE("upcall");
	CHECK_EQ(rung(a), 0);
}

static long irqfd(const struct vm *vm, int fd, unsigned int flags, uint64_t data)
{
	struct acrn_irqfd i = { .fd = fd, .flags = flags, .msi = { 0xFEE00000, data } };

	return iop(vm->fd, ACRN_IOCTL_IRQFD, &i);
}

static void ring(int fd)
{
	uint64_t one = 1;

	CHECK_EQ(write(fd, &one, 8), 8);
}

TEST(irq, "irqfd: each write injects its MSI; EBUSY twice; none after de-assign")
{
	struct vm vm = vm_running(1);
	int a = event(), b = event();

	CHECK_EQ(irqfd(&vm, -1, 0, 0), -EBADF);
	CHECK_EQ(irqfd(&vm, open("/dev/null", O_RDWR), 0, 0), -EINVAL);
	CHECK_EQ(irqfd(&vm, a, 0, 0x31), 0);
	CHECK_EQ(irqfd(&vm, b, 0, 0x32), 0);
	CHECK_EQ(irqfd(&vm, a, 0, 0x33), -EBUSY);
	for (int i = 0; i < 5; i++)
		ring(a);
	ring(b);
	CHECK_EQ(fake_count(0x23), 6);
	CHECK_EQ(fake_last(0x23)->detail[1], 0x32);
	CHECK_EQ(fake_last(0x23)->detail[0], 0xFEE00000);
	CHECK_EQ(fake_last(0x23)->a, vm.id);
	CHECK_EQ(irqfd(&vm, a, ACRN_IRQFD_DEASSIGN, 0), 0);
	CHECK_EQ(irqfd(&vm, a, ACRN_IRQFD_DEASSIGN, 0), 0);
	ring(a);
	CHECK_EQ(fake_count(0x23), 6);
}

TEST(irq_early, "irqfd: an eventfd that has been rung before injects at once")
{
	struct vm vm = vm_running(1);
	int a = event();

	ring(a);
	CHECK_EQ(irqfd(&vm, a, 0, 0x31), 0);
	CHECK_EQ(fake_count(0x23), 1);
}

TEST(irq_closed, "irqfd: closing the eventfd removes it; the VM's end does no harm to the eventfd")
{
	struct vm vm = vm_running(1);
	int b = event();

	for (int i = 0; i < 100; i++) {
		int a = event();

		CHECK_EQ(irqfd(&vm, a, 0, 0x31), 0);
		close(a);
	}
	CHECK_EQ(irqfd(&vm, b, 0, 0x31), 0);
	close(vm.fd);
	FAKE("clear");
	ring(b);
	CHECK_EQ(fake_count(0x23), 0);
}

TEST(loop, "an ioeventfd may be an irqfd as well: from guest to guest without the DM")
{
	struct vm vm = vm_running(1);
	int a = event();

	CHECK_EQ(ioeventfd(&vm, a, ACRN_IOEVENTFD_PIO, 0xC010, 2, 0), 0);
	CHECK_EQ(irqfd(&vm, a, 0, 0x41), 0);
	guest_write(&vm, ACRN_IOREQ_PORTIO, 0xC010, 2, 0);
	wait_done(&vm, 0, 1);
	CHECK_EQ(fake_last(0x23)->detail[1], 0x41);
}
