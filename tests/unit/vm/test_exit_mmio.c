/* SPDX-License-Identifier: BSD-3-Clause */
/* Instructions on device memory: carried out as the manual says, at once or after a wait, whichever way they take. */
#include "unit.h"

#include <string.h>

#include "lib/errno.h"
#include "vcpu/backend.h"
#include "vm/exit.h"
#include "vm/ioreq.h"
#include "vm/vm_memory.h"
#include "x86/exception.h"

#define DEVICE 0xFEC00000UL
#define NOBODY 0xFED00000UL
#define LOADED 0x1122334455667788UL

static struct vm vm;
static struct vcpu vcpu;
static struct insn insn;
static const uint8_t *code;
static unsigned int code_size, reads, writes, faults, fatals, demands, splits;
static uint64_t written;
static uint8_t written_size;
static bool is_mapped;
static uint64_t flags;
static gpa_t missing, fetched; /* MISSING: memory that is to be fetched */
#define MISSING 0x5000UL

static uint64_t reg_get(struct vcpu *v, enum vcpu_reg reg)
{
	assert_ptr_equal(v, &vcpu);
	assert_int_equal(reg, VREG_RFLAGS);
	return flags;
}

static void reg_set(struct vcpu *v, enum vcpu_reg reg, uint64_t value)
{
	assert_ptr_equal(v, &vcpu);
	assert_int_equal(reg, VREG_RFLAGS);
	flags = value;
}

static const struct vcpu_backend fake = { .reg_get = reg_get, .reg_set = reg_set };
const struct vcpu_backend *vcpu_backend = &fake;

const struct insn *vcpu_decode(struct vcpu *v, enum insn_mode *mode)
{
	assert_ptr_equal(v, &vcpu);
	*mode = INSN_MODE_64;
	return insn_decode(code, code_size, INSN_MODE_64, &insn) == 0 ? &insn : NULL;
}

/* Linear addresses are physical ones here; only the page that is missing, and then comes, is memory. */
int vcpu_read_linear(struct vcpu *v, gva_t gva, void *buf, unsigned int size, struct vcpu_fault *fault)
{
	(void)fault;
	v->no_memory = gva;
	if (gva != MISSING || missing == MISSING)
		return -EIO;
	memset(buf, 0x5A, size);
	return 0;
}

int vcpu_write_linear(struct vcpu *v, gva_t gva, const void *buf, unsigned int size, struct vcpu_fault *fault)
{
	(void)v, (void)buf, (void)size, (void)fault;
	return gva == MISSING && missing != MISSING ? 0 : -EIO;
}

bool vm_memory_is_missing(struct vm *v, gpa_t gpa)
{
	assert_ptr_equal(v, &vm);
	return gpa != HPA_INVALID && gpa == missing;
}

enum exit_result ioreq_fetch(struct vcpu *v, gpa_t gpa)
{
	assert_ptr_equal(v, &vcpu);
	fetched = gpa;
	return EXIT_BLOCKED;
}

bool gpa_space_split(struct gpa_space *space, gpa_t gpa)
{
	assert_ptr_equal(space, &vm.group.space);
	assert_true(gpa == vcpu.exit.mem.gpa);
	splits++;
	return false;
}

enum exit_result exit_fault_code(struct vcpu *v, uint8_t vector, uint32_t error)
{
	assert_ptr_equal(v, &vcpu);
	assert_true(vector == EXC_GP && error == 0);
	faults++;
	return EXIT_RETRY;
}

enum exit_result exit_page_fault(struct vcpu *v, const struct vcpu_fault *fault)
{
	(void)v, (void)fault;
	fail();
	return EXIT_RETRY;
}

static enum io_result device(void *dev, struct io_access *io)
{
	assert_ptr_equal(dev, &vm);
	assert_true(io->space == IO_MMIO && io->addr >= DEVICE && io->addr < DEVICE + 0x1000);
	if (io->is_write) {
		writes++;
		written = io->value;
		written_size = io->size;
	} else {
		reads++;
		io->value = io->size == 8 ? LOADED : LOADED & ((1UL << (8 * io->size)) - 1);
	}
	return IO_DONE;
}

static enum exit_result forward(struct vcpu *v)
{
	assert_ptr_equal(v, &vcpu);
	return EXIT_BLOCKED;
}

static bool map_on_demand(struct vm *v, gpa_t gpa)
{
	assert_ptr_equal(v, &vm);
	assert_true(gpa == NOBODY || gpa == MISSING);
	demands++;
	return is_mapped;
}

static void fatal(struct vcpu *v, const char *why)
{
	assert_ptr_equal(v, &vcpu);
	assert_non_null(why);
	fatals++;
}

static int fresh(void **state)
{
	(void)state;
	memset(&vm, 0, sizeof(vm));
	memset(&vcpu, 0, sizeof(vcpu));
	for (unsigned int i = 0; i < REG_COUNT; i++)
		vcpu.gpr[i] = 0xF0F1F2F3F4F5F600UL + i;
	io_bus_init(&vm.io);
	assert_int_equal(io_bus_add_ports(&vm.io, 0, 0x10000, device, NULL), 0);
	assert_int_equal(io_bus_add_mmio(&vm.io, DEVICE, 0x1000, device, &vm), 0);
	vm.forward = forward;
	vm.map_on_demand = map_on_demand;
	vm.fatal = fatal;
	vcpu.owner = &vm;
	reads = writes = faults = fatals = demands = splits = 0;
	is_mapped = false;
	missing = fetched = HPA_INVALID;
	flags = 2;
	return 0;
}

static enum exit_result execute(gpa_t gpa, const uint8_t *bytes, unsigned int size)
{
	code = bytes;
	code_size = size;
	vcpu.exit.mem.gpa = gpa;
	return exit_memory(&vcpu);
}
#define EXECUTE(gpa, ...) execute(gpa, (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }))

static void loads_write_what_their_size_says(void **state)
{
	(void)state;
	assert_int_equal(EXECUTE(DEVICE, 0x8B, 0x0B), EXIT_HANDLED); /* mov ecx, [rbx] */
	assert_int_equal(vcpu.exit.insn_len, 2);
	assert_true(vcpu.gpr[REG_RCX] == 0x55667788UL);
	assert_int_equal(EXECUTE(DEVICE + 8, 0x4C, 0x8B, 0x0B), EXIT_HANDLED); /* mov r9, [rbx] */
	assert_int_equal(vcpu.exit.insn_len, 3);
	assert_true(vcpu.gpr[REG_R9] == LOADED);
	assert_int_equal(EXECUTE(DEVICE, 0x66, 0x8B, 0x13), EXIT_HANDLED); /* mov dx, [rbx] */
	assert_true(vcpu.gpr[REG_RDX] == 0xF0F1F2F3F4F57788UL);
	assert_int_equal(EXECUTE(DEVICE, 0x8A, 0x33), EXIT_HANDLED); /* mov dh, [rbx] */
	assert_true(vcpu.gpr[REG_RDX] == 0xF0F1F2F3F4F58888UL);
	assert_int_equal(EXECUTE(DEVICE, 0x0F, 0xB7, 0x03), EXIT_HANDLED); /* movzx eax, word [rbx] */
	assert_true(vcpu.gpr[REG_RAX] == 0x7788UL);
	assert_int_equal(reads, 5);
	assert_int_equal(writes, 0);
}

static void stores_give_what_their_size_says(void **state)
{
	(void)state;
	assert_int_equal(EXECUTE(DEVICE, 0x44, 0x89, 0x3B), EXIT_HANDLED); /* mov [rbx], r15d */
	assert_int_equal(vcpu.exit.insn_len, 3);
	assert_true(written == 0xF4F5F60FUL && written_size == 4);
	assert_int_equal(EXECUTE(DEVICE, 0xC7, 0x03, 1, 2, 3, 0x84), EXIT_HANDLED); /* mov dword [rbx], imm */
	assert_int_equal(vcpu.exit.insn_len, 6);
	assert_true(written == 0x84030201UL && written_size == 4);
	assert_int_equal(EXECUTE(DEVICE, 0x48, 0xC7, 0x03, 0, 0, 0, 0x80), EXIT_HANDLED);
	assert_true(written == 0xFFFFFFFF80000000UL && written_size == 8);
	assert_int_equal(EXECUTE(DEVICE, 0x88, 0x3B), EXIT_HANDLED); /* mov [rbx], bh */
	assert_true(written == 0xF6 && written_size == 1);
	assert_int_equal(writes, 4);
	assert_int_equal(reads, 0);
}

static void arithmetic_reads_then_writes_and_sets_flags(void **state)
{
	(void)state;
	assert_int_equal(EXECUTE(DEVICE, 0x83, 0x23, 0x00), EXIT_HANDLED); /* and dword [rbx], 0 */
	assert_true(reads == 1 && writes == 1 && written == 0);
	assert_true((flags & 0x40) != 0);
}

static void a_device_outside_answers_later(void **state)
{
	(void)state;
	assert_int_equal(EXECUTE(NOBODY, 0x8B, 0x0B), EXIT_BLOCKED);
	assert_int_equal(demands, 1);
	assert_true(vcpu.io.addr == NOBODY && !vcpu.io.is_write && vcpu.io.size == 4 && vcpu.io.value == 0);
	assert_true(vcpu.gpr[REG_RCX] == 0xF0F1F2F3F4F5F601UL);
	vcpu.io.value = 0x99AABBCC;
	assert_int_equal(vcpu.finish(&vcpu), EXIT_HANDLED);
	assert_int_equal(vcpu.exit.insn_len, 2);
	assert_true(vcpu.gpr[REG_RCX] == 0x99AABBCCUL);
	assert_int_equal(EXECUTE(NOBODY, 0x89, 0x0B), EXIT_BLOCKED);
	assert_true(vcpu.io.is_write && vcpu.io.value == 0x99AABBCCUL);
	assert_int_equal(vcpu.finish(&vcpu), EXIT_HANDLED);
	assert_true(vcpu.gpr[REG_RCX] == 0x99AABBCCUL);
}

static void memory_that_is_there_by_now_is_tried_again(void **state)
{
	(void)state;
	is_mapped = true;
	assert_int_equal(EXECUTE(NOBODY, 0x8B, 0x0B), EXIT_RETRY);
	assert_int_equal(demands, 1);
	assert_int_equal(faults + fatals + reads, 0);
}

static void missing_memory_is_fetched(void **state)
{
	(void)state;
	is_mapped = true;
	missing = MISSING;
	/* any instruction: it is not carried out here */
	assert_int_equal(EXECUTE(MISSING, 0x0F, 0x0B), EXIT_BLOCKED);
	assert_true(fetched == MISSING);
	for (unsigned int kind = MEM_FETCH; kind <= MEM_WALK; kind++) {
		fetched = HPA_INVALID;
		vcpu.exit.mem.kind = kind;
		assert_int_equal(EXECUTE(MISSING, 0x8B, 0x0B), EXIT_BLOCKED);
		assert_true(fetched == MISSING);
	}
	assert_int_equal(faults + fatals + reads + writes, 0);
}

/* rep movsd between device and missing memory: fetched before the device is touched, then all goes on. */
static void missing_operand_is_fetched_first(void **state)
{
	(void)state;
	for (unsigned int to_device = 0; to_device < 2; to_device++) {
		missing = MISSING;
		fetched = HPA_INVALID;
		vcpu.gpr[REG_RCX] = 1;
		vcpu.gpr[REG_RSI] = to_device ? MISSING : DEVICE;
		vcpu.gpr[REG_RDI] = to_device ? DEVICE : MISSING;
		assert_int_equal(EXECUTE(DEVICE, 0xF3, 0xA5), EXIT_BLOCKED);
		assert_true(fetched == MISSING && reads + writes == to_device);
		missing = HPA_INVALID;
		assert_int_not_equal(EXECUTE(DEVICE, 0xF3, 0xA5), EXIT_BLOCKED);
		assert_true(reads + writes == 1 + to_device && vcpu.gpr[REG_RCX] == 0);
	}
	assert_true(written == 0x5A5A5A5AUL);
	assert_int_equal(faults, 0);
}

/* rep insd, rep outsd with missing memory: the port waits. */
static void missing_string_is_fetched_first(void **state)
{
	(void)state;
	for (unsigned int is_in = 0; is_in < 2; is_in++) {
		missing = MISSING;
		fetched = HPA_INVALID;
		vcpu.gpr[REG_RCX] = 1;
		vcpu.gpr[REG_RSI] = vcpu.gpr[REG_RDI] = MISSING;
		vcpu.exit.io.is_string = vcpu.exit.io.is_rep = true;
		vcpu.exit.io.is_in = is_in;
		vcpu.exit.io.size = 4;
		vcpu.exit.io.addr_size = 8;
		code = (const uint8_t[]){ 0xF3, is_in ? 0x6D : 0x6F };
		code_size = 2;
		assert_int_equal(exit_io(&vcpu), EXIT_BLOCKED);
		assert_true(fetched == MISSING && vcpu.gpr[REG_RCX] == 1);
	}
	assert_int_equal(faults, 0);
}

static void what_is_no_instruction_for_a_device_faults(void **state)
{
	(void)state;
	assert_int_equal(EXECUTE(DEVICE, 0x0F, 0x0B), EXIT_RETRY); /* ud2 */
	assert_int_equal(faults, 1);
	assert_int_equal(EXECUTE(DEVICE, 0x8B, 0xCB), EXIT_RETRY); /* mov ecx, ebx: it was changed meanwhile */
	assert_int_equal(faults, 2);
	assert_int_equal(EXECUTE(DEVICE, 0x8B), EXIT_RETRY); /* the rest cannot be read */
	assert_int_equal(faults, 3);
	assert_int_equal(reads + writes, 0);
}

static void code_and_page_tables_in_devices_end_the_vm(void **state)
{
	(void)state;
	vcpu.exit.mem.kind = MEM_FETCH;
	assert_int_equal(EXECUTE(DEVICE, 0x8B, 0x0B), EXIT_RETRY);
	assert_true(fatals == 1 && splits == 1);
	vcpu.exit.mem.kind = MEM_WALK;
	assert_int_equal(EXECUTE(DEVICE, 0x8B, 0x0B), EXIT_RETRY);
	assert_true(fatals == 2 && splits == 1);
	is_mapped = true;
	assert_int_equal(EXECUTE(NOBODY, 0x8B, 0x0B), EXIT_RETRY);
	assert_int_equal(fatals, 2);
	assert_int_equal(reads, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(loads_write_what_their_size_says, fresh),
		cmocka_unit_test_setup(stores_give_what_their_size_says, fresh),
		cmocka_unit_test_setup(arithmetic_reads_then_writes_and_sets_flags, fresh),
		cmocka_unit_test_setup(a_device_outside_answers_later, fresh),
		cmocka_unit_test_setup(memory_that_is_there_by_now_is_tried_again, fresh),
		cmocka_unit_test_setup(missing_memory_is_fetched, fresh),
		cmocka_unit_test_setup(missing_operand_is_fetched_first, fresh),
		cmocka_unit_test_setup(missing_string_is_fetched_first, fresh),
		cmocka_unit_test_setup(what_is_no_instruction_for_a_device_faults, fresh),
		cmocka_unit_test_setup(code_and_page_tables_in_devices_end_the_vm, fresh),
	};

	return cmocka_run_group_tests_name("exit_mmio", tests, NULL, NULL);
}
