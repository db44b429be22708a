/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Program headers to pieces of memory. The kernel is the administrator's file, but a truncated one must end in a
 * sentence: every number is checked. The last 64 KiB of low memory are ours (GDT), and page 0x20000 holds the
 * multiboot information.
 */
#include "loader/elf.h"

#include <acrn/vm.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "log.h"
#include "memory.h"

#define MB_HEADER	0x1badb002u
#define MB_BOOTED	0x2badb002u
#define MB_PAGE_ALIGN	0x1u	/* of modules, of which there are none */
#define MB_MEMORY	0x2u
#define MB_INFO		0x20000u
#define OUR_ROOM	0x10000u
#define SEL_CODE	0x08
#define SEL_DATA	0x10

static struct {
	int fd;
	uint64_t size;
} file = { .fd = -1 };

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* The header is a multiple of four into the file; its three words sum up to 0. */
static const char *find_multiboot(const uint8_t *head, size_t len, struct elf_plan *plan)
{
	for (size_t at = 0; at + 12 <= len; at += 4) {
		uint32_t flags = get32(head + at + 4);

		if (get32(head + at) != MB_HEADER || MB_HEADER + flags + get32(head + at + 8) != 0)
			continue;
		if (flags & ~(MB_PAGE_ALIGN | MB_MEMORY) & 0xffff)
			return "its multiboot header demands what is not there (video modes)";
		plan->multiboot = true;
		return NULL;
	}
	return NULL;
}

static const char *add_segment(const Elf32_Phdr *p, uint64_t file_size, uint64_t lowmem, struct elf_plan *plan)
{
	if (p->p_type != PT_LOAD || p->p_memsz == 0)
		return NULL;
	if (p->p_filesz > p->p_memsz || p->p_offset > file_size || p->p_filesz > file_size - p->p_offset)
		return "the file is cut off";
	if ((uint64_t)p->p_paddr + p->p_memsz > lowmem - OUR_ROOM)
		return "it does not fit into the guest's memory";
	if (p->p_paddr < MB_INFO + 4096 && p->p_paddr + (uint64_t)p->p_memsz > MB_INFO)
		return "it wants the memory at 0x20000, where the multiboot information lies";
	if (plan->count == ELF_SEGMENTS_MAX)
		return "it has more than 16 segments";
	plan->segment[plan->count++] = (struct elf_segment){ p->p_offset, p->p_filesz, p->p_paddr, p->p_memsz };
	return NULL;
}

const char *elf_plan(const uint8_t *head, size_t len, uint64_t file_size, uint64_t lowmem, struct elf_plan *plan)
{
	const char *why = NULL;
	Elf32_Ehdr e;
	Elf32_Phdr p;

	memset(plan, 0, sizeof(*plan));
	if (len < sizeof(e) || memcmp(head, ELFMAG, SELFMAG) != 0)
		return "it is not an ELF file";
	memcpy(&e, head, sizeof(e));
	if (e.e_ident[EI_CLASS] != ELFCLASS32 || e.e_machine != EM_386)
		return "it is not a 32-bit ELF file for x86";
	if (e.e_type != ET_EXEC || e.e_phnum == 0 || e.e_phentsize != sizeof(p))
		return "it is not an executable with program headers";
	if (e.e_phoff > len || (uint64_t)e.e_phnum * sizeof(p) > len - e.e_phoff)
		return "its program headers are not in its first 8 KiB";
	for (unsigned int i = 0; i < e.e_phnum && !why; i++) {
		memcpy(&p, head + e.e_phoff + i * sizeof(p), sizeof(p));
		why = add_segment(&p, file_size, lowmem, plan);
	}
	if (!why && plan->count == 0)
		why = "there is nothing in it to load";
	plan->entry = e.e_entry;
	return why ? why : find_multiboot(head, len, plan);
}

static int make_plan(uint64_t lowmem, struct elf_plan *plan)
{
	static uint8_t head[ELF_HEAD_SIZE];
	ssize_t n = pread(file.fd, head, sizeof(head), 0);
	const char *why = elf_plan(head, n > 0 ? (size_t)n : 0, file.size, lowmem, plan);

	if (!why)
		return 0;
	log_err("the kernel %s cannot be started: %s", config.elf, why);
	return -ENOEXEC;
}

int elf_open(void)
{
	struct elf_plan plan;
	struct stat st;

	file.fd = open(config.elf, O_RDONLY | O_CLOEXEC);
	if (file.fd < 0 || fstat(file.fd, &st) != 0) {
		int err = -errno;

		log_err("-E: cannot open %s: %s", config.elf, strerror(-err));
		return err;
	}
	if (!S_ISREG(st.st_mode)) {
		log_err("-E: %s is not a file", config.elf);
		return -EINVAL;
	}
	file.size = (uint64_t)st.st_size;
	return make_plan(config.memory < MEM_LOW_LIMIT ? config.memory : MEM_LOW_LIMIT, &plan);
}

void elf_close(void)
{
	if (file.fd >= 0)
		close(file.fd);
	file.fd = -1;
}

static int load_segment(const struct elf_segment *s)
{
	uint8_t *to = mem_ptr(s->gpa, s->size);
	uint64_t done = 0;

	if (!to)
		return -ENOSPC;
	while (done < s->file_size) {
		ssize_t n = pread(file.fd, to + done, s->file_size - done, (off_t)(s->offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (uint64_t)n;
	}
	memset(to + done, 0, s->size - done);
	return 0;
}

/* Flags 1: the amounts of memory, in KiB, below 640 KiB and from 1 MiB on. */
static int write_information(void)
{
	uint32_t info[3] = { 1, 640, (uint32_t)((mem_lowmem() - OUR_ROOM) / 1024 - 1024) };
	uint8_t page[256] = { 0 };

	memcpy(page, info, sizeof(info));
	return mem_write(MB_INFO, page, sizeof(page)) ? 0 : -ENOSPC;
}

static int set_registers(const struct elf_plan *plan, struct acrn_vcpu_regs *v)
{
	static const uint64_t gdt[3] = { 0, 0x00cf9b000000ffffull, 0x00cf93000000ffffull };
	uint64_t at = mem_lowmem() - OUR_ROOM;

	memset(v, 0, sizeof(*v));
	v->regs.gprs.rax = MB_BOOTED;
	v->regs.gprs.rbx = plan->multiboot ? MB_INFO : 0;
	v->regs.rip = plan->entry;
	v->regs.cr0 = 0x31;		/* PE, ET, NE */
	v->regs.rflags = 2;
	v->regs.gdt.base = at;
	v->regs.gdt.limit = sizeof(gdt) - 1;
	v->regs.cs_sel = SEL_CODE;
	v->regs.cs_ar = 0xc09b;
	v->regs.cs_limit = 0xffffffffu;
	v->regs.ss_sel = v->regs.ds_sel = v->regs.es_sel = v->regs.fs_sel = v->regs.gs_sel = SEL_DATA;
	return mem_write(at, gdt, sizeof(gdt)) ? 0 : -ENOSPC;
}

int elf_load(struct acrn_vcpu_regs *regs)
{
	struct elf_plan plan;
	int err = make_plan(mem_lowmem(), &plan);

	if (err)
		return err;
	for (unsigned int i = 0; i < plan.count && !err; i++)
		err = load_segment(&plan.segment[i]);
	if (!err && plan.multiboot)
		err = write_information();
	if (!err)
		err = set_registers(&plan, regs);
	if (err)
		log_err("loading %s: %s", config.elf, strerror(-err));
	return err;
}
