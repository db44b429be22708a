// SPDX-License-Identifier: BSD-3-Clause
/* A VM's life as the DM sees it: every error number, every pointer, and what the hypervisor is told. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <acrn/dev.h>

#include "harness.h"

static const struct {
	unsigned long cmd;
	size_t size; /* of the structure; 0: takes a value or nothing */
} calls[] = {
	{ ACRN_IOCTL_DESTROY_VM, 0 },
	{ ACRN_IOCTL_START_VM, 0 },
	{ ACRN_IOCTL_PAUSE_VM, 0 },
	{ ACRN_IOCTL_RESET_VM, 0 },
	{ ACRN_IOCTL_SET_VCPU_REGS, sizeof(struct acrn_vcpu_regs) },
	{ ACRN_IOCTL_INJECT_MSI, sizeof(struct acrn_msi) },
	{ ACRN_IOCTL_VM_INTR_MONITOR, 0 },
	{ ACRN_IOCTL_SET_IRQLINE, 0 },
	{ ACRN_IOCTL_NOTIFY_REQUEST_FINISH, sizeof(struct acrn_ioreq_notify) },
	{ ACRN_IOCTL_CREATE_IOREQ_CLIENT, 0 },
	{ ACRN_IOCTL_ATTACH_IOREQ_CLIENT, 0 },
	{ ACRN_IOCTL_DESTROY_IOREQ_CLIENT, 0 },
	{ ACRN_IOCTL_CLEAR_VM_IOREQ, 0 },
	{ ACRN_IOCTL_SET_MEMSEG, sizeof(struct acrn_memmap) },
	{ ACRN_IOCTL_UNSET_MEMSEG, sizeof(struct acrn_memmap) },
	{ ACRN_IOCTL_SET_PTDEV_INTR, sizeof(struct acrn_ptdev_irq) },
	{ ACRN_IOCTL_RESET_PTDEV_INTR, sizeof(struct acrn_ptdev_irq) },
	{ ACRN_IOCTL_ASSIGN_PCIDEV, sizeof(struct acrn_pcidev) },
	{ ACRN_IOCTL_DEASSIGN_PCIDEV, sizeof(struct acrn_pcidev) },
	{ ACRN_IOCTL_ASSIGN_MMIODEV, sizeof(struct acrn_mmiodev) },
	{ ACRN_IOCTL_DEASSIGN_MMIODEV, sizeof(struct acrn_mmiodev) },
	{ ACRN_IOCTL_CREATE_VDEV, sizeof(struct acrn_vdev) },
	{ ACRN_IOCTL_DESTROY_VDEV, sizeof(struct acrn_vdev) },
	{ ACRN_IOCTL_PM_GET_CPU_STATE, sizeof(uint64_t) },
	{ ACRN_IOCTL_IOEVENTFD, sizeof(struct acrn_ioeventfd) },
	{ ACRN_IOCTL_IRQFD, sizeof(struct acrn_irqfd) },
	{ ACRN_IOCTL_SETUP_ASYNCIO, 0 },
	{ ACRN_IOCTL_SETUP_VM_EVENT_RING, 0 },
	{ ACRN_IOCTL_SETUP_VM_EVENT_FD, 0 },
	{ ACRN_IOCTL_IOREQ_NEXT, 0 },
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))

TEST(open_close, "a file without a VM opens and closes")
{
	close(hsm_open());
	close(hsm_open());
}

TEST(before_create, "before CREATE_VM every other call says EINVAL")
{
	int fd = hsm_open();

	for (unsigned int i = 0; i < CALLS; i++)
		CHECK_EQ(io(fd, calls[i].cmd, 0), -EINVAL);
}

TEST(unknown, "an unknown call says ENOTTY, with and without a VM")
{
	struct vm vm = vm_new(1);
	int fd = hsm_open();

	CHECK_EQ(io(fd, 0xA217, 0), -ENOTTY);
	CHECK_EQ(io(vm.fd, 0xA217, 0), -ENOTTY);
	/* right number, wrong size */
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_SET_MEMSEG + (8ul << 16), 0), -ENOTTY);
}

/* The last byte of the structure lies in a page that is not there. */
TEST(efault, "EFAULT on every pointer: unmapped, the kernel's, reaching past a mapping")
{
	struct vm vm = vm_new(1);
	char *two = memory(2 * PAGE);
	struct acrn_vm_creation c = { 0 };
	int fd = hsm_open();

	munmap(two + PAGE, PAGE);
	for (unsigned int i = 0; i < CALLS; i++) {
		if (!calls[i].size)
			continue;
		CHECK_EQ(io(vm.fd, calls[i].cmd, 8), -EFAULT);
		CHECK_EQ(io(vm.fd, calls[i].cmd, 0xFFFF888000000000), -EFAULT);
		CHECK_EQ(iop(vm.fd, calls[i].cmd, two + PAGE + 1 - calls[i].size), -EFAULT);
	}
	CHECK_EQ(io(fd, ACRN_IOCTL_CREATE_VM, 8), -EFAULT);
	CHECK_EQ(iop(fd, ACRN_IOCTL_CREATE_VM, two + PAGE + 1 - sizeof(c)), -EFAULT);
	CHECK_EQ(io(fd, ACRN_IOCTL_GET_INFO, 8), -EFAULT);
}

static struct acrn_vm_creation good_creation(void)
{
	return (struct acrn_vm_creation){
		.name = "good", .ioreq_buf = (uintptr_t)memory(PAGE), .cpu_affinity = 1 };
}

TEST(create_bad, "CREATE_VM refuses bad words and bad pages, and leaves nothing behind")
{
	int fd = hsm_open();
	struct acrn_vm_creation c = good_creation();
	void *read_only = memory(PAGE);

	c.reserved0 = 1;
	CHECK_EQ(iop(fd, ACRN_IOCTL_CREATE_VM, &c), -EINVAL);
	c = good_creation();
	c.reserved1 = 1;
	CHECK_EQ(iop(fd, ACRN_IOCTL_CREATE_VM, &c), -EINVAL);
	c = good_creation();
	c.ioreq_buf += 8;
	CHECK_EQ(iop(fd, ACRN_IOCTL_CREATE_VM, &c), -EINVAL);
	c.ioreq_buf = 0;
	CHECK_EQ(iop(fd, ACRN_IOCTL_CREATE_VM, &c), -EFAULT);
	mprotect(read_only, PAGE, PROT_READ);
	c.ioreq_buf = (uintptr_t)read_only;
	CHECK_EQ(iop(fd, ACRN_IOCTL_CREATE_VM, &c), -EFAULT);
	CHECK_EQ(fake_count(0x10), 0);
}

TEST(create_refused, "whatever the hypervisor says to CREATE_VM, it is EINVAL, and no VM is left")
{
	int fd = hsm_open();
	struct acrn_vm_creation c = good_creation();

	FAKE("fail 0x10 %d 1 0", ENODEV);
	CHECK_EQ(iop(fd, ACRN_IOCTL_CREATE_VM, &c), -EINVAL);
	FAKE("fail 0x30 %d 1 0", EACCES);
	CHECK_EQ(iop(fd, ACRN_IOCTL_CREATE_VM, &c), -EACCES);
	CHECK_EQ(fake_last(0x11)->ret, 0);
	c.cpu_affinity = 0x1FFFF;
	CHECK_EQ(iop(fd, ACRN_IOCTL_CREATE_VM, &c), -EINVAL);
	CHECK_EQ(fake_count(0x11), 2);
	c.cpu_affinity = 0xFFFF;
	CHECK_EQ(iop(fd, ACRN_IOCTL_CREATE_VM, &c), 0);
}

TEST(create_many, "when the hypervisor has no VM left (id 0xFFFF) CREATE_VM says EINVAL")
{
	struct acrn_vm_creation c = good_creation();

	for (int i = 0; i < 8; i++)
		vm_new(1);
	CHECK_EQ(iop(hsm_open(), ACRN_IOCTL_CREATE_VM, &c), -EINVAL);
}

TEST(create_twice, "a second CREATE_VM says EEXIST and the first VM does not notice")
{
	struct vm vm = vm_new(2);
	struct acrn_vm_creation c = good_creation();

	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_CREATE_VM, &c), -EEXIST);
	CHECK_EQ(fake_count(0x10), 1);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_START_VM, 0), 0);
}

TEST(create_no_reply, "CREATE_VM whose answer cannot be written back destroys the VM: EFAULT")
{
	struct acrn_vm_creation *c = memory(PAGE);
	int fd = hsm_open();

	*c = good_creation();
	mprotect(c, PAGE, PROT_READ);
	CHECK_EQ(iop(fd, ACRN_IOCTL_CREATE_VM, c), -EFAULT);
	CHECK_EQ(fake_last(0x11)->ret, 0);
	CHECK_EQ(io(fd, ACRN_IOCTL_START_VM, 0), -EINVAL);
}

TEST(create_privilege, "local APIC pass-through and RT VMs need CAP_SYS_ADMIN")
{
	struct acrn_vm_creation c = good_creation();
	int fd = hsm_open();

	become_nobody();
	c.flags = ACRN_VM_FLAG_LAPIC_PASSTHROUGH | ACRN_VM_FLAG_RT;
	CHECK_EQ(iop(fd, ACRN_IOCTL_CREATE_VM, &c), -EPERM);
	c.flags = ACRN_VM_FLAG_IO_POLLING;
	CHECK_EQ(iop(fd, ACRN_IOCTL_CREATE_VM, &c), 0);
}

TEST(life, "start, pause, reset, destroy: the hypervisor's answers come through unchanged")
{
	static const int errors[] = { EPERM, EINVAL, ENODEV, EBUSY, ENOMEM, ENOTTY, EACCES };
	struct vm vm = vm_new(1);

	for (unsigned int i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		FAKE("fail 0x12 %d 1 0", errors[i]);
		CHECK_EQ(io(vm.fd, ACRN_IOCTL_START_VM, 0), -errors[i]);
	}
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_RESET_VM, 0), -EPERM);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_START_VM, 0), 0);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_PAUSE_VM, 0), 0);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_RESET_VM, 0), 0);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_START_VM, 0), 0);
	CHECK_EQ(fake_last(0x12)->a, vm.id);
}

TEST(destroy, "DESTROY_VM of a running VM fails and leaves it whole; of a paused one it ends it")
{
	struct vm vm = vm_running(1);
	void *ram = memory(8 * PAGE);

	CHECK_EQ(set_ram(&vm, 0, ram, 8 * PAGE), 0);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_DESTROY_VM, 0), -EPERM);
	CHECK_EQ(fake_mapped_pages(&vm), 8);
	FAKE("request %d 0 0 1 0x60 1 0x12", vm.id);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_IOREQ_NEXT, 0), 1);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_PAUSE_VM, 0), 0);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_DESTROY_VM, 0), 0);
	CHECK(!vms_say("vm "));
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_START_VM, 0), -EINVAL);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_IOREQ_NEXT, 0), -EINVAL);
}

TEST(again, "after DESTROY_VM the same file can make another VM")
{
	struct vm vm = vm_new(1);
	struct acrn_vm_creation c = good_creation();

	for (int i = 0; i < 3; i++) {
		CHECK_EQ(io(vm.fd, ACRN_IOCTL_PAUSE_VM, 0), 0);
		CHECK_EQ(io(vm.fd, ACRN_IOCTL_DESTROY_VM, 0), 0);
		CHECK_EQ(iop(vm.fd, ACRN_IOCTL_CREATE_VM, &c), 0);
	}
}

TEST(regs, "SET_VCPU_REGS: each reserved word must be 0")
{
	struct vm vm = vm_new(1);
	struct acrn_vcpu_regs r = { 0 };
	uint8_t *bytes = (uint8_t *)&r;
	static const unsigned int reserved[] = {
		2, 7, 8 + 138, 8 + 143, 8 + 154, 8 + 159, 8 + 216, 8 + 247, 8 + 256, 8 + 267 };

	for (unsigned int i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++) {
		bytes[reserved[i]] = 1;
		CHECK_EQ(iop(vm.fd, ACRN_IOCTL_SET_VCPU_REGS, &r), -EINVAL);
		bytes[reserved[i]] = 0;
	}
	CHECK_EQ(fake_count(0x16), 0);
	r.regs.rip = 0xFFF0;
	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_SET_VCPU_REGS, &r), 0);
}

TEST(interrupts, "INJECT_MSI and SET_IRQLINE: the values arrive as they are")
{
	struct vm vm = vm_new(1);
	struct acrn_msi msi = { .addr = 0xFEE01004, .data = 0x4031 };

	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_INJECT_MSI, &msi), 0);
	CHECK_EQ(fake_last(0x23)->a, vm.id);
	CHECK_EQ(fake_last(0x23)->detail[0], 0xFEE01004);
	CHECK_EQ(fake_last(0x23)->detail[1], 0x4031);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_SET_IRQLINE, ACRN_IRQLINE(11, ACRN_IRQLINE_RISING_PULSE)), 0);
	CHECK_EQ(fake_last(0x25)->b, 0x20000000B);
	FAKE("fail 0x25 %d 1 0", EINVAL);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_SET_IRQLINE, 999), -EINVAL);
}

TEST(monitor, "VM_INTR_MONITOR keeps one page pinned, the last that was accepted")
{
	struct vm vm = vm_new(1);
	void *a = memory(PAGE), *b = memory(PAGE);
	long before = pinned();

	CHECK_EQ(io(vm.fd, ACRN_IOCTL_VM_INTR_MONITOR, 0), -EFAULT);
	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_VM_INTR_MONITOR, (char *)a + 4), -EINVAL);
	CHECK_EQ(pinned(), before);
	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_VM_INTR_MONITOR, a), 0);
	CHECK_EQ(fake_last(0x24)->b, frame_of(a) * PAGE);
	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_VM_INTR_MONITOR, b), 0);
	CHECK_EQ(pinned(), before + 1);
	FAKE("fail 0x24 %d 1 0", EPERM);
	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_VM_INTR_MONITOR, a), -EPERM);
	CHECK_EQ(pinned(), before + 1);
}

TEST(pm_other_vm, "the PM command word cannot name another VM")
{
	struct vm vm = vm_new(1), other = vm_new(1);
	uint64_t word[6] = { ACRN_PM_CMD(other.id, 2, 1, ACRN_PM_PX_COUNT) | 1ull << 40 };

	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_PM_GET_CPU_STATE, word), 0);
	CHECK_EQ(fake_last(0x80)->a, ACRN_PM_CMD(vm.id, 2, 1, ACRN_PM_PX_COUNT));
	CHECK_EQ(word[0], 3);
}

/* The pretended hypervisor fills 20 bytes with 0x5A: what follows must be zeros, and nothing more. */
TEST(pm_leak, "CVE-2025-21950: PM_GET_CPU_STATE gives back its exact size, without kernel memory")
{
	static const struct {
		uint64_t type;
		size_t size, filled;
	} kinds[] = { { ACRN_PM_PX_COUNT, 8, 1 }, { ACRN_PM_PX_DATA, 48, 20 },
		      { ACRN_PM_CX_COUNT, 8, 1 }, { ACRN_PM_CX_DATA, 32, 20 } };
	struct vm vm = vm_new(1);
	uint8_t buf[64];

	for (int i = 0; i < 4; i++) {
		memset(buf, 0xEE, sizeof(buf));
		memcpy(buf, &kinds[i].type, 8);
		CHECK_EQ(iop(vm.fd, ACRN_IOCTL_PM_GET_CPU_STATE, buf), 0);
		for (size_t n = kinds[i].filled; n < sizeof(buf); n++)
			CHECK_EQ(buf[n], n < kinds[i].size ? 0 : 0xEE);
	}
	memset(buf, 4, 8);
	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_PM_GET_CPU_STATE, buf), -EINVAL);
	FAKE("fail 0x80 %d 1 0", EPERM);
	memset(buf, 0, sizeof(buf));
	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_PM_GET_CPU_STATE, buf), -EPERM);
}

TEST(passthrough_privilege, "CVE-2020-15687: pass-through needs CAP_SYS_ADMIN")
{
	static const unsigned long cmds[] = {
		ACRN_IOCTL_SET_PTDEV_INTR, ACRN_IOCTL_RESET_PTDEV_INTR, ACRN_IOCTL_ASSIGN_PCIDEV,
		ACRN_IOCTL_DEASSIGN_PCIDEV, ACRN_IOCTL_ASSIGN_MMIODEV, ACRN_IOCTL_DEASSIGN_MMIODEV };
	struct vm vm = vm_new(1);
	uint8_t buf[104] = { 0 };

	become_nobody();
	for (int i = 0; i < 6; i++)
		CHECK_EQ(iop(vm.fd, cmds[i], buf), -EPERM);
}

#define CARD 0x40 /* 00:08.0, the network card of the test's machine: it can be reset, and has no driver */

TEST(passthrough, "pass-through: a PCI device goes to the VM and comes back, once each")
{
	struct vm vm = vm_new(1);
	struct acrn_pcidev dev = { .phys_bdf = CARD, .virt_bdf = 0x28, .type = ACRN_PCIDEV_NO_RESET };

	for (int round = 0; round < 2; round++) {
		CHECK_EQ(iop(vm.fd, ACRN_IOCTL_ASSIGN_PCIDEV, &dev), 0);
		CHECK_EQ(fake_last(0x55)->detail[0], CARD);
		CHECK_EQ(fake_last(0x55)->detail[1], 0); /* that word is for the module alone */
		CHECK_EQ(iop(vm.fd, ACRN_IOCTL_ASSIGN_PCIDEV, &dev), -EEXIST);
		CHECK_EQ(iop(vm.fd, ACRN_IOCTL_DEASSIGN_PCIDEV, &dev), 0);
		CHECK_EQ(fake_last(0x56)->detail[0], CARD);
		CHECK_EQ(iop(vm.fd, ACRN_IOCTL_DEASSIGN_PCIDEV, &dev), -ENODEV);
		dev.type = 0; /* with a reset before and after */
	}
	CHECK_EQ(fake_count(0x55), 2);
	CHECK_EQ(fake_count(0x56), 2);
}

TEST(passthrough_refused, "pass-through: no such device, a driver's, one without reset, the hypervisor's no")
{
	struct vm vm = vm_new(1);
	struct acrn_pcidev dev = { .phys_bdf = 0xFFFF };
	unsigned int bus, slot, fn, found = 0;
	struct dirent *e;
	DIR *dir = opendir("/sys/bus/pci/drivers/virtio-pci");

	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_ASSIGN_PCIDEV, &dev), -ENODEV);
	CHECK(dir != NULL);
	while (!found && (e = readdir(dir)) != NULL)
		found = sscanf(e->d_name, "0000:%x:%x.%x", &bus, &slot, &fn) == 3;
	closedir(dir);
	CHECK(found);
	dev.phys_bdf = (uint16_t)(bus << 8 | slot << 3 | fn);
	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_ASSIGN_PCIDEV, &dev), -EBUSY);
	dev.phys_bdf = 0; /* the host bridge */
	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_ASSIGN_PCIDEV, &dev), -ENOTTY);
	CHECK_EQ(fake_count(0x55), 0);
	dev.phys_bdf = CARD;
	FAKE("fail 0x55 %d 1 0", ENODEV);
	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_ASSIGN_PCIDEV, &dev), -ENODEV);
	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_DEASSIGN_PCIDEV, &dev), -ENODEV);
	CHECK_EQ(fake_count(0x56), 0);
}

TEST(passthrough_reset, "pass-through: a VM's reset takes its devices, resets them, gives them back")
{
	struct vm vm = vm_new(1);
	struct acrn_pcidev dev = { .phys_bdf = CARD };
	struct acrn_ptdev_irq line = { .phys_bdf = CARD, .phys_pin = 11, .virt_pin = 17 };

	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_ASSIGN_PCIDEV, &dev), 0);
	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_SET_PTDEV_INTR, &line), 0);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_PAUSE_VM, 0), 0);
	FAKE("clear");
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_RESET_VM, 0), 0);
	CHECK_EQ(fake_count(0x56), 1);
	CHECK_EQ(fake_count(0x55), 1);
	CHECK_EQ(fake_count(0x53), 1);
	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_RESET_PTDEV_INTR, &line), 0);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_PAUSE_VM, 0), 0);
	FAKE("fail 0x55 %d 1 0", ENOMEM);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_RESET_VM, 0), -ENOMEM);
	CHECK_EQ(fake_count(0x53), 1);
}

TEST(passthrough_end, "pass-through: whoever is closed with a device leaves it to the next")
{
	struct vm first = vm_new(1), second = vm_new(1);
	struct acrn_pcidev dev = { .phys_bdf = CARD };

	CHECK_EQ(iop(first.fd, ACRN_IOCTL_ASSIGN_PCIDEV, &dev), 0);
	CHECK_EQ(iop(second.fd, ACRN_IOCTL_ASSIGN_PCIDEV, &dev), -EBUSY);
	close(first.fd);
	CHECK_EQ(iop(second.fd, ACRN_IOCTL_ASSIGN_PCIDEV, &dev), 0);
	CHECK_EQ(iop(second.fd, ACRN_IOCTL_DEASSIGN_PCIDEV, &dev), 0);
}

TEST(vdev, "CREATE_VDEV and DESTROY_VDEV reach the hypervisor")
{
	struct vm vm = vm_new(1);
	struct acrn_vdev dev = { .vendor = 0x1AF4, .device = 0x1110 };

	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_CREATE_VDEV, &dev), 0);
	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_DESTROY_VDEV, &dev), 0);
	CHECK_EQ(fake_last(0x59)->a, vm.id);
	CHECK_EQ(fake_last(0x5A)->a, vm.id);
}

/* A leak of one structure a call would be some 4 MB. */
TEST(no_leak, "CVE-2022-1651: calls that fail leak no memory")
{
	struct vm vm = vm_new(1);
	struct acrn_vdev dev = { 0 };
	struct acrn_vcpu_regs regs = { .reserved = { 1 } };
	long before;

	FAKE("fail 0x59 %d 1000000 0", EINVAL);
	for (int round = 0; round < 2; round++) {
		before = number_in("/proc/meminfo", "SUnreclaim:");
		for (int i = 0; i < 20000; i++) {
			CHECK_EQ(iop(vm.fd, ACRN_IOCTL_CREATE_VDEV, &dev), -EINVAL);
			CHECK_EQ(iop(vm.fd, ACRN_IOCTL_SET_VCPU_REGS, &regs), -EINVAL);
			CHECK_EQ(io(vm.fd, ACRN_IOCTL_CREATE_VDEV, 8), -EFAULT);
		}
	}
	CHECK(number_in("/proc/meminfo", "SUnreclaim:") - before < 1000);
}

TEST(info, "GET_INFO tells version and capabilities, with and without a VM")
{
	struct acrn_hsm_info info;
	struct vm vm = vm_new(1);
	int fd = hsm_open();

	memset(&info, 0xFF, sizeof(info));
	CHECK_EQ(iop(fd, ACRN_IOCTL_GET_INFO, &info), 0);
	CHECK_EQ(info.api_major, 1);
	CHECK_EQ(info.api_minor, 0);
	CHECK_EQ(info.max_vcpus, 16);
	CHECK_EQ(info.tsc_khz, 2500000);
	CHECK(info.caps & ACRN_HSM_CAP_IOREQ_NEXT);
	CHECK(info.caps & ACRN_HSM_CAP_PASSTHROUGH);
	CHECK(!(info.caps & ACRN_HSM_CAP_WAIT));
	for (int i = 0; i < 5; i++)
		CHECK_EQ(info.reserved[i], 0);
	FAKE("extensions 1");
	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_GET_INFO, &info), 0);
	CHECK(info.caps & ACRN_HSM_CAP_WAIT);
}
