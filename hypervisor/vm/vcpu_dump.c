/* SPDX-License-Identifier: BSD-3-Clause */
/* See vcpu_dump.h. */
#include "vm/vcpu_dump.h"

#include "lib/log.h"
#include "vcpu/backend.h"
#include "vm/vm.h"

static uint64_t reg(struct vcpu *vcpu, enum vcpu_reg r)
{
	return vcpu_backend->reg_get(vcpu, r);
}

static void dump_code(struct vcpu *vcpu)
{
	uint8_t code[8] = { 0 };
	unsigned int n = vcpu_fetch(vcpu, code, sizeof(code));

	log_error("  code %02x %02x %02x %02x %02x %02x %02x %02x (%u bytes readable)", code[0],
		  code[1], code[2], code[3], code[4], code[5], code[6], code[7], n);
}

void dump_vcpu(struct vcpu *vcpu)
{
	static const char *const names[REG_COUNT] = {
		"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
		"r8 ", "r9 ", "r10", "r11", "r12", "r13", "r14", "r15",
	};
	struct segment cs, ss;

	vcpu_backend->seg_get(vcpu, SEG_CS, &cs);
	vcpu_backend->seg_get(vcpu, SEG_SS, &ss);
	log_error("vm%u vcpu%u: exit %lx, rip %lx, rflags %lx", vcpu_vm(vcpu)->id, vcpu->index,
		  vcpu->exit.raw, vcpu->rip, reg(vcpu, VREG_RFLAGS));
	for (unsigned int i = 0; i < REG_COUNT; i += 4)
		log_error("  %s %016lx %s %016lx %s %016lx %s %016lx", names[i], vcpu->gpr[i],
			  names[i + 1], vcpu->gpr[i + 1], names[i + 2], vcpu->gpr[i + 2],
			  names[i + 3], vcpu->gpr[i + 3]);
	log_error("  cr0 %lx cr2 %lx cr3 %lx cr4 %lx efer %lx", reg(vcpu, VREG_CR0),
		  reg(vcpu, VREG_CR2), reg(vcpu, VREG_CR3), reg(vcpu, VREG_CR4),
		  reg(vcpu, VREG_EFER));
	log_error("  cs %x base %lx attr %x, ss %x attr %x, memory access %lx", cs.selector,
		  cs.base, cs.attr, ss.selector, ss.attr,
		  vcpu->exit.reason == EXIT_MEMORY ? vcpu->exit.mem.gpa : 0UL);
	dump_code(vcpu);
}
