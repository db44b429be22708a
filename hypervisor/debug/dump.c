/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A dump of the CPU. There are no frame pointers: what looks like a return address on the stack is
 * listed, from the newest on, and some of it is stale. `addr2line -e build/hypervisor/acrn.debug`
 * names them.
 */
#include "debug/dump.h"
#include "hw/cpu.h"
#include "hw/panic.h"
#include "hw/percpu.h"
#include "lib/log.h"
#include "lib/util.h"

#define MAX_TRACE 16U

extern const uint8_t image_start[], image_rodata[];

static void dump_registers(const struct isr_frame *f)
{
	log_error("rax %016lx rbx %016lx rcx %016lx rdx %016lx", f->rax, f->rbx, f->rcx, f->rdx);
	log_error("rsi %016lx rdi %016lx rbp %016lx rsp %016lx", f->rsi, f->rdi, f->rbp, f->rsp);
	log_error("r8  %016lx r9  %016lx r10 %016lx r11 %016lx", f->r8, f->r9, f->r10, f->r11);
	log_error("r12 %016lx r13 %016lx r14 %016lx r15 %016lx", f->r12, f->r13, f->r14, f->r15);
	log_error("rip %016lx rflags %lx vector %lu error %lx", f->rip, f->rflags, f->vector,
		  f->error);
}

static bool is_code(uint64_t word)
{
	return word >= (uint64_t)image_start && word < (uint64_t)image_rodata;
}

static void dump_stack(uint64_t rsp)
{
	uint64_t top = ALIGN_DOWN(rsp, STACK_SIZE) + STACK_SIZE;
	unsigned int found = 0;

	log_error("code addresses on the stack, newest first:");
	for (uint64_t at = ALIGN_UP(rsp, 8UL); at < top && found < MAX_TRACE; at += 8) {
		uint64_t word = *(const uint64_t *)at;

		if (is_code(word)) {
			log_error("  [rsp+%lx] %016lx", at - rsp, word);
			found++;
		}
	}
}

void dump_cpu(const struct isr_frame *frame)
{
	uint64_t here = (uint64_t)__builtin_frame_address(0);

	if (frame != NULL)
		dump_registers(frame);
	log_error("cr0 %lx cr2 %lx cr3 %lx cr4 %lx", cr0_read(), cr2_read(), cr3_read(),
		  cr4_read());
	/*
	 * A wild stack pointer must not make the dump fault: only a stack that we run on is read.
	 */
	if (frame != NULL && ALIGN_DOWN(frame->rsp, STACK_SIZE) == ALIGN_DOWN(here, STACK_SIZE))
		dump_stack(frame->rsp);
	else
		dump_stack(here);
}

void dump_init(void)
{
	panic_set_hook(dump_cpu);
}
