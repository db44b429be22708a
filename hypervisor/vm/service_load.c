/* SPDX-License-Identifier: BSD-3-Clause */
/* The Service VM's kernel and what it finds in memory when it starts. */
#include "hw/cpu.h"
#include "hw/paging.h"
#include "hw/panic.h"
#include "hw/platform.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "vcpu/backend.h"
#include "vm/service.h"
#include "x86/cr.h"

#define LOW_4G 0x100000000UL
#define ACPI_COPY_SIZE (8 * PAGE_SIZE)

/* A copy of the table of tables in which the IOMMUs are not mentioned: they are ours. */
static hpa_t hide_acpi_tables(struct memmap *memmap)
{
	static const char *const ours[] = { "DMAR", "IVRS", NULL };
	static uint8_t tables[ACPI_COPY_SIZE];
	hpa_t at = memmap_allocate(memmap, sizeof(tables), PAGE_SIZE, LOW_4G, MEMMAP_ACPI);
	const struct acpi_copy copy = { tables, sizeof(tables), at };
	int used;

	if (at == HPA_INVALID)
		panic("no memory for the Service VM's ACPI tables");
	used = acpi_hide_tables(&platform_acpi_access, &platform_acpi, ours, &copy);
	if (used < 0)
		panic("the ACPI tables cannot be copied for the Service VM: error %d", -used);
	vm_guest_copy(phys_to_virt(at), tables, (size_t)used);
	return at;
}

static void copy_part(const struct bzimage_copy *copy)
{
	if (copy->size == 0 || copy->to == copy->from)
		return;
	guest_access_begin();
	memmove(phys_to_virt(copy->to), phys_to_virt(copy->from), copy->size);
	guest_access_end();
}

static void set_registers(struct vcpu *vcpu, const struct bzimage_plan *plan)
{
	struct segment code = { .selector = BZIMAGE_CODE_SELECTOR, .limit = ~0U, .attr = 0xC09B };
	struct segment data = { .selector = BZIMAGE_DATA_SELECTOR, .limit = ~0U, .attr = 0xC093 };
	struct desc_table gdt = { .base = plan->gdt, .limit = plan->gdt_limit };

	vcpu_backend->reg_set(vcpu, VREG_CR0, CR0_PE | CR0_ET | CR0_NE);
	vcpu_backend->seg_set(vcpu, SEG_CS, &code);
	vcpu_backend->seg_set(vcpu, SEG_DS, &data);
	vcpu_backend->seg_set(vcpu, SEG_ES, &data);
	vcpu_backend->seg_set(vcpu, SEG_SS, &data);
	vcpu_backend->table_set(vcpu, false, &gdt);
	vcpu->rip = plan->eip;
	vcpu->gpr[REG_RSI] = plan->esi;
	vlapic_set_virtual_wire(&vcpu->vlapic);
}

void service_load(struct vm *vm, struct bzimage_source *source, struct memmap *memmap)
{
	struct bzimage_plan plan;
	const char *error = "";
	int err;

	source->rsdp = hide_acpi_tables(memmap);
	guest_access_begin();
	err = bzimage_plan(source, memmap, &plan, &error);
	guest_access_end();
	if (err != 0)
		panic_refuse("the Service VM's kernel cannot be started: %s", error);
	copy_part(&plan.initrd);
	guest_access_begin();
	err = bzimage_fill(source, memmap, &plan, phys_to_virt(plan.params), &error);
	guest_access_end();
	if (err != 0)
		panic_refuse("the Service VM's kernel cannot be started: %s", error);
	copy_part(&plan.kernel);
	set_registers(vm->vcpu[0], &plan);
}
