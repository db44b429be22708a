/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Opens firmware images and says what is in them. How large the variables of a single image are is written in the
 * header of the firmware volume that it begins with (PI 1.8, volume 3, 3.2.1).
 */
#include "loader/firmware.h"

#include <acrn/vm.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "loader/e820.h"
#include "log.h"
#include "memory.h"

#define PAGE		4096u
#define FLASH_MAX	(8u << 20)
#define ACRN_MAX	(2u << 20)	/* what the original takes */
#define FV_LENGTH	0x20
#define FV_SIGNATURE	0x28
#define FV_HEADER	0x30
#define E820_BLOB	0xef000u
#define SHADOW_BASE	0xe0000u

static struct {
	int code, vars;		/* vars -1: a single image */
	uint32_t code_size, vars_size;
	bool keep;		/* changes go to the file */
} fw = { .code = -1, .vars = -1 };

static int open_part(const char *path, bool write, uint32_t *size)
{
	int fd = open(path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC), err = 0;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0) {
		err = -errno;
		log_err("--ovmf: cannot open %s%s: %s", path, write ? " for writing" : "", strerror(-err));
	} else if (!S_ISREG(st.st_mode) || st.st_size == 0 || st.st_size % PAGE || st.st_size > FLASH_MAX) {
		log_err("--ovmf: %s is not a firmware image: a file of whole 4-KiB pages, at most %u MiB", path,
			FLASH_MAX >> 20);
		err = -EINVAL;
	}
	if (err) {
		if (fd >= 0)
			close(fd);
		return err;
	}
	*size = (uint32_t)st.st_size;
	return fd;
}

static int lock_vars(int fd, const char *path)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = fw.vars_size };

	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	log_err("--ovmf: the variables in %s are in use by another VM", path);
	return -EBUSY;
}

/* The volume that a single image begins with holds the variables. */
static uint32_t volume_length(int fd, uint32_t size)
{
	uint8_t head[FV_HEADER];
	uint64_t length = 0;

	if (pread(fd, head, sizeof(head), 0) != (ssize_t)sizeof(head) || memcmp(head + FV_SIGNATURE, "_FVH", 4) != 0)
		return 0;
	for (unsigned int i = 8; i-- > 0;)
		length = length << 8 | head[FV_LENGTH + i];
	return length < size && length % PAGE == 0 ? (uint32_t)length : 0;
}

static int check_sizes(void)
{
	uint32_t all = fw.code_size + (fw.vars >= 0 ? fw.vars_size : 0);
	uint32_t limit = config.machine == MACHINE_ACRN ? ACRN_MAX : FLASH_MAX;

	if (all <= limit)
		return 0;
	log_err("--ovmf: the firmware has %u KiB, more than the %u KiB of this machine type", all >> 10, limit >> 10);
	return -EFBIG;
}

int firmware_open(void)
{
	bool single = !config.ovmf_vars;
	int err = 0;

	/* Variables in a file of their own are the VM's; a single image may be everybody's. */
	fw.keep = config.ovmf_write || (!single && config.machine == MACHINE_Q35);
	fw.code = open_part(config.ovmf_code, single && fw.keep, &fw.code_size);
	if (fw.code < 0)
		return fw.code;
	if (single) {
		fw.vars_size = volume_length(fw.code, fw.code_size);
	} else {
		fw.vars = open_part(config.ovmf_vars, fw.keep, &fw.vars_size);
		if (fw.vars < 0)
			return fw.vars;
	}
	if (fw.keep && fw.vars_size)
		err = lock_vars(single ? fw.code : fw.vars, single ? config.ovmf_code : config.ovmf_vars);
	return err ? err : check_sizes();
}

void firmware_close(void)
{
	if (fw.code >= 0)
		close(fw.code);
	if (fw.vars >= 0)
		close(fw.vars);
	fw.code = fw.vars = -1;
	fw.code_size = fw.vars_size = 0;
}

void firmware_sizes(uint32_t *all, uint32_t *vars)
{
	*all = fw.code_size + (fw.vars >= 0 ? fw.vars_size : 0);
	*vars = fw.vars_size;
}

static int read_part(int fd, const char *path, uint8_t *buf, uint32_t size)
{
	uint32_t done = 0;

	while (done < size) {
		ssize_t n = pread(fd, buf + done, size - done, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			int err = n < 0 ? -errno : -EIO;

			log_err("reading %s: %s", path, n < 0 ? strerror(-err) : "the file is cut off");
			return err;
		}
		done += (uint32_t)n;
	}
	return 0;
}

int firmware_read(uint8_t *buf)
{
	int err = 0;

	if (fw.vars >= 0) {
		err = read_part(fw.vars, config.ovmf_vars, buf, fw.vars_size);
		buf += fw.vars_size;
	}
	return err ? err : read_part(fw.code, config.ovmf_code, buf, fw.code_size);
}

void firmware_write_vars(const uint8_t *vars, uint32_t offset, uint32_t len)
{
	int fd = fw.vars >= 0 ? fw.vars : fw.code;

	while (fw.keep && len) {
		ssize_t n = pwrite(fd, vars + offset, len, (off_t)offset);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			log_err("the firmware's variables are not kept: %s", strerror(n < 0 ? errno : EIO));
			return;
		}
		offset += (uint32_t)n;
		len -= (uint32_t)n;
	}
}

/* "820", the number of entries, the entries: where the original's firmware looks. */
static int leave_memory_map(void)
{
	struct {
		char signature[4];
		uint32_t count;
		struct e820_entry entry[E820_MAX];
	} blob = { .signature = "820" };

	blob.count = e820_build(blob.entry, mem_lowmem(), mem_highmem());
	return mem_write(E820_BLOB, &blob, sizeof(blob)) ? 0 : -ENOSPC;
}

/* Below 1 MiB stands a copy of the last 128 KiB of the code, as the chipset shows it after RESET. */
static int shadow(void)
{
	uint32_t size = fw.code_size < 0x20000 ? fw.code_size : 0x20000;
	uint8_t *to = mem_ptr(SHADOW_BASE + 0x20000 - size, size);
	ssize_t n = to ? pread(fw.code, to, size, (off_t)(fw.code_size - size)) : -1;

	if (n == (ssize_t)size)
		return 0;
	log_err("reading %s: %s", config.ovmf_code, n < 0 ? strerror(errno) : "the file is cut off");
	return -EIO;
}

int firmware_start(struct acrn_vcpu_regs *v)
{
	memset(v, 0, sizeof(*v));
	v->regs.rip = 0xfff0;
	v->regs.cr0 = 0x30;		/* ET, NE */
	v->regs.rflags = 2;
	v->regs.gdt.limit = v->regs.idt.limit = 0xffff;
	v->regs.cs_sel = 0xf000;
	v->regs.cs_base = 0xffff0000u;
	v->regs.cs_limit = 0xffff;
	v->regs.cs_ar = 0x9b;
	return config.machine == MACHINE_ACRN ? leave_memory_map() : shadow();
}
