// SPDX-License-Identifier: BSD-3-Clause
/* How it ends: killed DMs, hypervisors that refuse, calls that race, and the CPU that is given away. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <acrn/dev.h>

#include "harness.h"

static void *forever_next(void *arg)
{
	struct vm *vm = arg;

	for (;;)
		io(vm->fd, ACRN_IOCTL_IOREQ_NEXT, 0);
	return NULL;
}

/* A DM at work: memory, client, running, threads waiting. Never returns. */
static void be_a_dm(int ready)
{
	struct vm vm = vm_running(2);
	char *ram = memory(4 * HUGE);
	pthread_t t;

	CHECK_EQ(set_ram(&vm, 0, ram, 4 * HUGE), 0);
	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_VM_INTR_MONITOR, memory(PAGE)), 0);
	pthread_create(&t, NULL, forever_next, &vm);
	CHECK_EQ(write(ready, &vm.id, 2), 2);
	for (;;)
		io(vm.fd, ACRN_IOCTL_ATTACH_IOREQ_CLIENT, 0);
}

static pid_t start_dm(uint16_t *vmid)
{
	int p[2];
	pid_t pid;

	CHECK_EQ(pipe(p), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		be_a_dm(p[1]);
	}
	CHECK_EQ(read(p[0], vmid, 2), 2);
	close(p[0]);
	close(p[1]);
	return pid;
}

TEST(killed, "SIGKILL of the DM pauses, destroys, unpins, in this order; twenty times")
{
	long before = pinned();
	const struct fake_call *calls;
	unsigned int n;
	uint16_t id;
	pid_t pid;

	for (int i = 0; i < 20; i++) {
		FAKE("clear");
		pid = start_dm(&id);
		CHECK_EQ(pinned(), before + 4 * HUGE / PAGE + 2);
		FAKE("request %u 0 0 1 0x80 1 1", id);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		CHECK_EQ(pinned(), before);
		CHECK(!vms_say("vm "));
		calls = fake_log(&n);
		CHECK(n >= 2);
		CHECK_EQ(calls[n - 2].id, 0x13);
		CHECK_EQ(calls[n - 1].id, 0x11);
		CHECK_EQ(calls[n - 1].ret, 0);
	}
}

TEST(closed, "closing the file of a running VM does the same, also the last of two descriptors")
{
	struct vm vm = vm_running(1);
	long before = pinned();
	int second = dup(vm.fd);

	CHECK_EQ(set_ram(&vm, 0, memory(HUGE), HUGE), 0);
	close(vm.fd);
	CHECK_EQ(fake_count(0x11), 0);
	close(second);
	CHECK_EQ(fake_last(0x11)->ret, 0);
	CHECK_EQ(pinned(), before - 1);
}

TEST(zombie, "a VM that cannot be destroyed keeps its pages, is listed, and goes when it can")
{
	long before = pinned();
	uint16_t id;
	pid_t pid = start_dm(&id);

	FAKE("fail 0x11 %d 1000 0", EBUSY);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	for (int i = 0; i < 100 && !vms_say("zombie"); i++)
		usleep(10000);
	CHECK(vms_say("zombie"));
	CHECK_EQ(pinned(), before + 4 * HUGE / PAGE + 2);
	CHECK_EQ(syscall(SYS_delete_module, "acrn_hsm", O_NONBLOCK), -1);
	FAKE("upcall");
	FAKE("fail 0 0 0 0");
	close(vm_new(1).fd);
	CHECK(!vms_say("zombie"));
	CHECK_EQ(pinned(), before);
}

TEST(busy_module, "the module does not go while a file is open")
{
	int fd = hsm_open();

	CHECK_EQ(syscall(SYS_delete_module, "acrn_hsm", O_NONBLOCK), -1);
	CHECK_EQ(errno, EAGAIN);
	close(fd);
}

static volatile bool stop;
static struct vm shared;

static void *caller(void *arg)
{
	unsigned int seed = (uintptr_t)arg, n = 0;
	char *ram = memory(16 * PAGE);
	struct acrn_ioreq_notify notify = { 0 };
	struct acrn_msi msi = { 0xFEE00000, 0x31 };
	int event = eventfd(0, EFD_NONBLOCK);

	while (!stop) {
		struct acrn_ioeventfd e = { .fd = event, .addr = 0x1000, .len = 4,
					    .flags = n & 1 ? ACRN_IOEVENTFD_DEASSIGN : 0 };
		struct acrn_irqfd i = { .fd = event, .flags = n & 1 };
		uint64_t pm[6] = { ACRN_PM_CX_DATA };
		struct acrn_memmap m = { .user_vm_pa = (n % 8) * 16 * PAGE,
					 .vma_base = (uintptr_t)ram, .len = 16 * PAGE };

		switch (rand_r(&seed) % 12) {
		case 0: iop(shared.fd, ACRN_IOCTL_SET_MEMSEG, &m); break;
		case 1: iop(shared.fd, ACRN_IOCTL_UNSET_MEMSEG, &m); break;
		case 2: iop(shared.fd, ACRN_IOCTL_INJECT_MSI, &msi); break;
		case 3: iop(shared.fd, ACRN_IOCTL_IOEVENTFD, &e); break;
		case 4: iop(shared.fd, ACRN_IOCTL_IRQFD, &i); break;
		case 5: io(shared.fd, ACRN_IOCTL_CREATE_IOREQ_CLIENT, 0); break;
		case 6: io(shared.fd, ACRN_IOCTL_DESTROY_IOREQ_CLIENT, 0); break;
		case 7: iop(shared.fd, ACRN_IOCTL_NOTIFY_REQUEST_FINISH, &notify); break;
		case 8: io(shared.fd, ACRN_IOCTL_IOREQ_NEXT, 1 | ACRN_IOREQ_NEXT_NONBLOCK); break;
		case 9: io(shared.fd, ACRN_IOCTL_CLEAR_VM_IOREQ, 0); break;
		case 10: iop(shared.fd, ACRN_IOCTL_PM_GET_CPU_STATE, pm); break;
		default: eventfd_write(event, 1); break;
		}
		n++;
	}
	close(event);
	return NULL;
}

static void *guest(void *arg)
{
	(void)arg;
	while (!stop) {
		fake("request %u 0 1 1 0x1000 4 0", shared.id);
		fake("request %u 1 0 0 0xCFC 4 0", shared.id);
	}
	return NULL;
}

static void *destroyer(void *arg)
{
	struct acrn_vm_creation c = { .ioreq_buf = (uintptr_t)shared.page, .cpu_affinity = 3 };

	(void)arg;
	while (!stop) {
		usleep(20000);
		io(shared.fd, ACRN_IOCTL_PAUSE_VM, 0);
		CHECK_EQ(io(shared.fd, ACRN_IOCTL_DESTROY_VM, 0), 0);
		CHECK_EQ(iop(shared.fd, ACRN_IOCTL_CREATE_VM, &c), 0);
		io(shared.fd, ACRN_IOCTL_START_VM, 0);
	}
	return NULL;
}

TEST(races, "ten seconds of every call at once on one file, with the VM made and unmade all along")
{
	void *(*const roles[])(void *) = { caller, caller, caller, guest, destroyer };
	pthread_t t[5];

	shared = vm_running(2);
	for (long i = 0; i < 5; i++)
		pthread_create(&t[i], NULL, roles[i], (void *)(i + 1));
	sleep(10);
	stop = true;
	for (int i = 0; i < 5; i++)
		pthread_join(t[i], NULL);
}

static long remove_cpu(const char *text)
{
	int fd = open("/sys/class/misc/acrn_hsm/remove_cpu", O_WRONLY);
	long ret = write(fd, text, strlen(text));

	ret = ret < 0 ? -errno : ret;
	close(fd);
	return ret;
}

TEST(cpu, "remove_cpu: bad numbers are EINVAL; a refusal brings the CPU back; an off-line CPU is fine")
{
	static const char *const bad[] = { "abc", "0", "9999", "-1", "0x100000001", "" };
	const char *online = "/sys/devices/system/cpu/cpu1/online";
	int fd;

	for (int i = 0; i < 5; i++)
		CHECK_EQ(remove_cpu(bad[i]), -EINVAL);
	FAKE("fail 0x01 %d 1 0", EPERM);
	CHECK_EQ(remove_cpu("1"), -EPERM);
	CHECK_EQ(number_in(online, NULL), 1);
	CHECK_EQ(remove_cpu("0x1"), 3);
	CHECK_EQ(number_in(online, NULL), 0);
	CHECK_EQ(fake_last(0x01)->a, 1);
	CHECK_EQ(remove_cpu("1"), 1);
	fd = open(online, O_WRONLY);
	CHECK_EQ(write(fd, "1", 1), 1);
	close(fd);
}
