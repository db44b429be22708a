/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The peer of make bench: the least that runs a tiny guest on /dev/kvm, with the interrupt controllers in the kernel,
 * the serial port here, and an ioeventfd with a thread that waits for it. kvm_bench BZIMAGE COMMAND-LINE
 * [DEVICE], which is one that vfio-pci has.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm_vfio.h"

#define MEMORY (64ul << 20)
#define KERNEL_AT (16ul << 20)
#define ENTRY 1024
#define PARAMS_AT 0x10000
#define CMDLINE_AT 0x11000
#define KICK_PORT 0x700

static void need(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

static uint8_t *make_memory(int vm)
{
	uint8_t *mem = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region region = { .memory_size = MEMORY, .userspace_addr = (uintptr_t)mem };

	need(mem != MAP_FAILED, "memory");
	need(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region) == 0, "KVM_SET_USER_MEMORY_REGION");
	return mem;
}

static void load(uint8_t *mem, const char *path, const char *cmdline)
{
	uint32_t at = CMDLINE_AT;
	int fd = open(path, O_RDONLY);

	need(fd >= 0 && read(fd, mem + KERNEL_AT, MEMORY - KERNEL_AT) > ENTRY, path);
	close(fd);
	strncpy((char *)mem + CMDLINE_AT, cmdline, 255);
	memcpy(mem + PARAMS_AT + 0x228, &at, sizeof(at));
}

static void set_cpuid(int kvm, int vcpu)
{
	static struct {
		struct kvm_cpuid2 head;
		struct kvm_cpuid_entry2 entries[128];
	} cpuid = { .head.nent = 128 };

	need(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &cpuid) == 0, "KVM_GET_SUPPORTED_CPUID");
	need(ioctl(vcpu, KVM_SET_CPUID2, &cpuid) == 0, "KVM_SET_CPUID2");
}

static void set_registers(int vcpu)
{
	struct kvm_segment code = { .limit = ~0u, .selector = 0x10, .type = 11, .present = 1, .db = 1, .s = 1, .g = 1 };
	struct kvm_segment data = code;
	struct kvm_regs regs = { .rip = KERNEL_AT + ENTRY, .rsi = PARAMS_AT, .rflags = 2 };
	struct kvm_sregs sregs;

	data.selector = 0x18;
	data.type = 3;
	need(ioctl(vcpu, KVM_GET_SREGS, &sregs) == 0, "KVM_GET_SREGS");
	sregs.cs = code;
	sregs.ds = sregs.es = sregs.ss = sregs.fs = sregs.gs = data;
	sregs.cr0 |= 1;
	need(ioctl(vcpu, KVM_SET_SREGS, &sregs) == 0, "KVM_SET_SREGS");
	need(ioctl(vcpu, KVM_SET_REGS, &regs) == 0, "KVM_SET_REGS");
}

static void *wait_for_kicks(void *arg)
{
	uint64_t count;

	while (read(*(int *)arg, &count, sizeof(count)) == sizeof(count))
		;
	return NULL;
}

static void make_kick(int vm)
{
	static int fd;
	pthread_t thread;
	struct kvm_ioeventfd kick = { .addr = KICK_PORT, .len = 2, .flags = KVM_IOEVENTFD_FLAG_PIO };

	fd = eventfd(0, 0);
	kick.fd = fd;
	need(fd >= 0 && ioctl(vm, KVM_IOEVENTFD, &kick) == 0, "KVM_IOEVENTFD");
	need(pthread_create(&thread, NULL, wait_for_kicks, &fd) == 0, "thread");
}

/* One port access; the guest is done when it returns 1. */
static int port(struct kvm_run *run)
{
	uint8_t *data = (uint8_t *)run + run->io.data_offset;

	if (run->io.port == 0xf4)
		return 1;
	if (run->io.direction == KVM_EXIT_IO_OUT) {
		if (run->io.port == 0x3f8)
			putchar(*data);
	} else {
		memset(data, 0xff, run->io.size);
		if (run->io.port == 0x3fd)
			*data = 0x60;
	}
	return 0;
}

int main(int argc, char **argv)
{
	int kvm = open("/dev/kvm", O_RDWR), vm, vcpu;
	struct kvm_pit_config pit = { 0 };
	struct kvm_run *run;
	uint8_t *memory;

	need((argc == 3 || argc == 4) && kvm >= 0, "kvm_bench BZIMAGE COMMAND-LINE, /dev/kvm");
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	need(vm >= 0 && ioctl(vm, KVM_CREATE_IRQCHIP) == 0 && ioctl(vm, KVM_CREATE_PIT2, &pit) == 0, "KVM_CREATE_VM");
	memory = make_memory(vm);
	load(memory, argv[1], argv[2]);
	make_kick(vm);
	if (argc == 4)
		kvm_vfio_attach(vm, argv[3], memory, MEMORY);
	vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	need(vcpu >= 0, "KVM_CREATE_VCPU");
	run = mmap(NULL, (size_t)ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	need(run != MAP_FAILED, "kvm_run");
	set_cpuid(kvm, vcpu);
	set_registers(vcpu);
	for (;;) {
		need(ioctl(vcpu, KVM_RUN, 0) == 0, "KVM_RUN");
		switch (run->exit_reason) {
		case KVM_EXIT_IO:
			if (port(run))
				return 0;
			break;
		case KVM_EXIT_MMIO:
			memset(run->mmio.data, 0, sizeof(run->mmio.data));
			break;
		default:
			fprintf(stderr, "exit reason %u\n", run->exit_reason);
			return 1;
		}
	}
}
