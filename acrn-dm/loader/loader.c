/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the guest begins with: firmware, a Linux kernel or an ELF kernel. A Linux kernel and its initrd are read
 * straight into guest memory, and vCPU 0 is handed over in 32-bit protected mode; firmware is offered them instead.
 */
#include "loader/loader.h"

#include <acrn/vm.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "firmware/fw_cfg.h"
#include "hsm.h"
#include "loader/bzimage.h"
#include "loader/elf.h"
#include "loader/firmware.h"
#include "log.h"
#include "memory.h"

#define SEL_CODE	0x10
#define SEL_DATA	0x18
#define COMMAND_LINE_MAX	4096

/* Open from start to end: a reset needs them again, and by then we may not open files any more. */
static struct {
	int kernel, initrd;
	struct bzimage_sizes sizes;
} files = { .kernel = -1, .initrd = -1 };

/* A readable regular file; its size in *size. Returns the descriptor or -errno (logged). */
static int open_file(const char *path, uint64_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0) {
		int err = -errno;

		log_err("cannot open %s: %s", path, strerror(-err));
		if (fd >= 0)
			close(fd);
		return err;
	}
	if (!S_ISREG(st.st_mode) || st.st_size == 0) {
		log_err("%s is not a file with something in it", path);
		close(fd);
		return -EINVAL;
	}
	*size = (uint64_t)st.st_size;
	return fd;
}

/* size bytes from offset of the file to guest memory at gpa. */
static int read_to_guest(int fd, const char *path, uint64_t offset, uint64_t size, uint64_t gpa)
{
	uint8_t *to = mem_ptr(gpa, size);

	if (!to) {
		log_err("%s does not fit into the guest's memory", path);
		return -ENOSPC;
	}
	while (size) {
		ssize_t n = pread(fd, to, size, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			int err = n < 0 ? -errno : -EIO;

			log_err("reading %s: %s", path, n < 0 ? strerror(-err) : "the file is cut off");
			return err;
		}
		to += n;
		offset += (uint64_t)n;
		size -= (uint64_t)n;
	}
	return 0;
}

/*
 * First what the guest could not find out well, since every clock but its TSC exits to us; then what the user gave,
 * which therefore wins. The TSC's rate; that it runs alike everywhere, which holds for each CPU that has nested paging
 * even where its CPUID does not say so; and that the timer is connected, which it would have to prove within 40 ms.
 */
static int make_command_line(char line[COMMAND_LINE_MAX])
{
	uint32_t khz = hsm_tsc_khz();
	char ours[80] = "";

	if (khz)
		snprintf(ours, sizeof(ours), "tsc_early_khz=%u tsc=reliable no_timer_check ", khz);
	return snprintf(line, COMMAND_LINE_MAX, "%s%s", ours, config.bootargs);
}

static int write_command_line(const struct bzimage_plan *plan)
{
	char line[COMMAND_LINE_MAX];
	int len = make_command_line(line);

	if ((unsigned int)len >= sizeof(line) || (unsigned int)len > plan->cmdline_max) {
		log_err("-B: this kernel takes at most %u bytes of command line", plan->cmdline_max);
		return -E2BIG;
	}
	return mem_write(plan->cmdline, line, (size_t)len + 1) ? 0 : -ENOSPC;
}

/* Flat 4-GiB segments. */
static int write_gdt(uint64_t at)
{
	static const uint64_t gdt[4] = { 0, 0, 0x00cf9b000000ffffull, 0x00cf93000000ffffull };

	return mem_write(at, gdt, sizeof(gdt)) ? 0 : -ENOSPC;
}

static void set_registers(const struct bzimage_plan *plan, struct acrn_vcpu_regs *v)
{
	memset(v, 0, sizeof(*v));
	v->regs.gprs.rsi = plan->zeropage;
	v->regs.rip = plan->entry;
	v->regs.cr0 = 0x31;		/* PE, ET, NE */
	v->regs.rflags = 2;
	v->regs.gdt.base = plan->gdt;
	v->regs.gdt.limit = 31;
	v->regs.cs_sel = SEL_CODE;
	v->regs.cs_ar = 0xc09b;
	v->regs.cs_limit = 0xffffffffu;
	v->regs.ss_sel = v->regs.ds_sel = v->regs.es_sel = SEL_DATA;
}

static int load_parts(int kernel, int initrd, const struct bzimage_sizes *sizes, struct bzimage_plan *plan)
{
	uint8_t head[BZIMAGE_HEAD_SIZE] = { 0 };
	ssize_t n = pread(kernel, head, sizeof(head), 0);
	const char *why;
	uint8_t *zeropage;
	int err;

	why = bzimage_plan(head, n > 0 ? (uint64_t)n : 0, sizes, plan);
	if (why) {
		log_err("the kernel %s cannot be started: %s", config.kernel, why);
		return -ENOEXEC;
	}
	err = read_to_guest(kernel, config.kernel, plan->payload_offset, plan->payload_size, plan->entry);
	if (!err && initrd >= 0)
		err = read_to_guest(initrd, config.initrd, 0, sizes->initrd, plan->initrd);
	if (!err)
		err = write_command_line(plan);
	if (!err)
		err = write_gdt(plan->gdt);
	zeropage = mem_ptr(plan->zeropage, 4096);
	if (err || !zeropage)
		return err ? err : -ENOSPC;
	bzimage_fill_zeropage(zeropage, head, plan, sizes);
	return 0;
}

static int open_linux(void)
{
	files.kernel = open_file(config.kernel, &files.sizes.kernel);
	if (files.kernel < 0)
		return files.kernel;
	if (!config.initrd)
		return 0;
	files.initrd = open_file(config.initrd, &files.sizes.initrd);
	return files.initrd < 0 ? files.initrd : 0;
}

int loader_open(void)
{
	int err = 0;

	if (config.ovmf_code)
		err = firmware_open();
	if (!err && config.kernel)
		err = open_linux();
	else if (!err && config.elf)
		err = elf_open();
	return err;
}

void loader_close(void)
{
	firmware_close();
	elf_close();
	if (files.kernel >= 0)
		close(files.kernel);
	if (files.initrd >= 0)
		close(files.initrd);
	files.kernel = files.initrd = -1;
}

/* OVMF takes the real-mode part and the rest one by one, and puts them together again. */
int loader_add_items(void)
{
	uint8_t head[BZIMAGE_HEAD_SIZE] = { 0 };
	char line[COMMAND_LINE_MAX];
	struct bzimage_plan plan;
	const char *why;
	ssize_t n;
	int err, len;

	if (!config.kernel)
		return 0;
	n = pread(files.kernel, head, sizeof(head), 0);
	files.sizes.lowmem = mem_lowmem();
	files.sizes.highmem = mem_highmem();
	why = bzimage_plan(head, n > 0 ? (uint64_t)n : 0, &files.sizes, &plan);
	len = make_command_line(line);
	if (why || (unsigned int)len >= sizeof(line)) {
		log_err("the kernel %s cannot be started: %s", config.kernel,
			why ? why : "its command line is too long");
		return -ENOEXEC;
	}
	err = fw_cfg_add_number(FW_CFG_SETUP_SIZE, plan.payload_offset, 4);
	if (!err)
		err = fw_cfg_add_fd(FW_CFG_SETUP_DATA, files.kernel, 0, (uint32_t)plan.payload_offset);
	if (!err)
		err = fw_cfg_add_number(FW_CFG_KERNEL_SIZE, plan.payload_size, 4);
	if (!err)
		err = fw_cfg_add_fd(FW_CFG_KERNEL_DATA, files.kernel, plan.payload_offset, (uint32_t)plan.payload_size);
	if (!err)
		err = fw_cfg_add_number(FW_CFG_INITRD_SIZE, files.sizes.initrd, 4);
	if (!err && files.initrd >= 0)
		err = fw_cfg_add_fd(FW_CFG_INITRD_DATA, files.initrd, 0, (uint32_t)files.sizes.initrd);
	if (!err)
		err = fw_cfg_add_number(FW_CFG_CMDLINE_SIZE, (uint64_t)len + 1, 4);
	return err ? err : fw_cfg_add(FW_CFG_CMDLINE_DATA, line, (uint32_t)len + 1);
}

static int load_linux(struct acrn_vcpu_regs *regs)
{
	struct bzimage_plan plan;
	int err;

	files.sizes.lowmem = mem_lowmem();
	files.sizes.highmem = mem_highmem();
	err = load_parts(files.kernel, files.initrd, &files.sizes, &plan);
	if (!err)
		set_registers(&plan, regs);
	return err;
}

int loader_load(struct acrn_vcpu_regs *regs)
{
	if (config.ovmf_code)
		return firmware_start(regs);
	return config.kernel ? load_linux(regs) : elf_load(regs);
}
