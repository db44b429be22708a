/* SPDX-License-Identifier: BSD-3-Clause */
/* MOV to control registers: what faults, and what turning paging on and off does to long mode. */
#include "unit.h"

#include <string.h>

#include "vcpu/backend.h"
#include "vm/exit.h"
#include "x86/cr.h"
#include "x86/exception.h"

static uint64_t regs[VREG_COUNT];
static uint32_t cs_attr;
static enum insn_mode mode;
static struct vcpu vcpu;

static uint64_t reg_get(struct vcpu *v, enum vcpu_reg reg)
{
	assert_ptr_equal(v, &vcpu);
	return regs[reg];
}

static void reg_set(struct vcpu *v, enum vcpu_reg reg, uint64_t value)
{
	assert_ptr_equal(v, &vcpu);
	regs[reg] = value;
}

static void seg_get(struct vcpu *v, enum x86_seg seg, struct segment *s)
{
	assert_ptr_equal(v, &vcpu);
	assert_int_equal(seg, SEG_CS);
	s->attr = cs_attr;
}

static const struct vcpu_backend fake = { .reg_get = reg_get, .reg_set = reg_set, .seg_get = seg_get };
const struct vcpu_backend *vcpu_backend = &fake;

enum insn_mode vcpu_mode(struct vcpu *v)
{
	assert_ptr_equal(v, &vcpu);
	return mode;
}

void vlapic_cr8_set(struct vlapic *v, uint64_t cr8)
{
	v->tpr = (uint32_t)(cr8 << 4);
}

static int faulted;

enum exit_result exit_fault_code(struct vcpu *v, uint8_t vector, uint32_t error)
{
	assert_ptr_equal(v, &vcpu);
	assert_int_equal(vector, EXC_GP);
	assert_int_equal(error, 0);
	faulted++;
	return EXIT_RETRY;
}

static int clean(void **state)
{
	(void)state;
	memset(regs, 0, sizeof(regs));
	memset(&vcpu, 0, sizeof(vcpu));
	cs_attr = 0xC09B;
	mode = INSN_MODE_32;
	faulted = 0;
	return 0;
}

static enum exit_result move_to(unsigned int number, uint64_t value)
{
	vcpu.exit.cr.number = (uint8_t)number;
	vcpu.exit.cr.is_write = true;
	vcpu.exit.cr.reg = REG_RBX;
	vcpu.gpr[REG_RBX] = value;
	return exit_cr(&vcpu);
}

static void paging_with_lme_enters_long_mode(void **state)
{
	(void)state;
	regs[VREG_CR0] = CR0_PE | CR0_ET;
	regs[VREG_CR4] = CR4_PAE;
	regs[VREG_EFER] = EFER_LME;
	assert_int_equal(move_to(0, CR0_PE | CR0_PG | CR0_NE), EXIT_HANDLED);
	assert_true(regs[VREG_CR0] == (CR0_PE | CR0_PG | CR0_NE | CR0_ET));
	assert_true(regs[VREG_EFER] == (EFER_LME | EFER_LMA));
	assert_int_equal(move_to(0, CR0_PE), EXIT_HANDLED);
	assert_true(regs[VREG_EFER] == EFER_LME);
}

static void paging_without_lme_does_not(void **state)
{
	(void)state;
	regs[VREG_CR0] = CR0_PE;
	assert_int_equal(move_to(0, CR0_PE | CR0_PG), EXIT_HANDLED);
	assert_true(regs[VREG_EFER] == 0);
}

static void bad_cr0_faults_and_changes_nothing(void **state)
{
	(void)state;
	regs[VREG_CR0] = CR0_PE;
	regs[VREG_EFER] = EFER_LME;
	assert_int_equal(move_to(0, CR0_PG), EXIT_RETRY);	    /* without PE */
	assert_int_equal(move_to(0, CR0_PE | CR0_NW), EXIT_RETRY);  /* without CD */
	assert_int_equal(move_to(0, CR0_PE | CR0_PG), EXIT_RETRY);  /* LME without PAE */
	regs[VREG_CR4] = CR4_PAE;
	cs_attr = 0xA09B;
	assert_int_equal(move_to(0, CR0_PE | CR0_PG), EXIT_RETRY); /* from a 64-bit segment */
	mode = INSN_MODE_64;
	regs[VREG_CR0] = CR0_PE | CR0_PG;
	assert_int_equal(move_to(0, (1UL << 32) | CR0_PE | CR0_PG), EXIT_RETRY);
	assert_int_equal(move_to(0, CR0_PE), EXIT_RETRY); /* leaving paging in 64-bit code */
	assert_int_equal(faulted, 6);
	assert_true(regs[VREG_CR0] == (CR0_PE | CR0_PG));
	assert_true(regs[VREG_EFER] == EFER_LME);
}

static void upper_half_counts_in_64_bit_mode_only(void **state)
{
	(void)state;
	assert_int_equal(move_to(0, (1UL << 40) | CR0_PE), EXIT_HANDLED);
	assert_true(regs[VREG_CR0] == (CR0_PE | CR0_ET));
}

static void cr4_takes_what_a_guest_may_have(void **state)
{
	(void)state;
	assert_int_equal(move_to(4, CR4_PAE | CR4_MCE), EXIT_HANDLED);
	assert_true(regs[VREG_CR4] == (CR4_PAE | CR4_MCE));
	assert_int_equal(move_to(4, CR4_VMXE), EXIT_RETRY);
	assert_int_equal(move_to(4, CR4_PCIDE), EXIT_RETRY); /* outside of long mode */
	regs[VREG_EFER] = EFER_LMA | EFER_LME;
	assert_int_equal(move_to(4, CR4_MCE), EXIT_RETRY); /* PAE stays in long mode */
	regs[VREG_CR3] = 0x1001;
	assert_int_equal(move_to(4, CR4_PAE | CR4_PCIDE), EXIT_RETRY); /* CR3 has a PCID already */
	regs[VREG_CR3] = 0x1000;
	assert_int_equal(move_to(4, CR4_PAE | CR4_PCIDE), EXIT_HANDLED);
	assert_true(regs[VREG_CR4] == (CR4_PAE | CR4_PCIDE));
}

static void cr8_is_the_task_priority(void **state)
{
	(void)state;
	assert_int_equal(move_to(8, 5), EXIT_HANDLED);
	assert_int_equal(vcpu.vlapic.tpr, 0x50);
	assert_int_equal(move_to(8, 16), EXIT_RETRY);
	assert_int_equal(vcpu.vlapic.tpr, 0x50);
	vcpu.exit.cr.is_write = false;
	assert_int_equal(exit_cr(&vcpu), EXIT_HANDLED);
	assert_int_equal(vcpu.gpr[REG_RBX], 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(paging_with_lme_enters_long_mode, clean),
		cmocka_unit_test_setup(paging_without_lme_does_not, clean),
		cmocka_unit_test_setup(bad_cr0_faults_and_changes_nothing, clean),
		cmocka_unit_test_setup(upper_half_counts_in_64_bit_mode_only, clean),
		cmocka_unit_test_setup(cr4_takes_what_a_guest_may_have, clean),
		cmocka_unit_test_setup(cr8_is_the_task_priority, clean),
	};

	return cmocka_run_group_tests_name("exit_cr", tests, NULL, NULL);
}
