/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * The image needs no relocation, only a place: its entry code builds page tables for wherever it
 * finds itself.
 */
#include "hypervisor.h"

#include "elf.h"
#include "pages.h"
#include "report.h"

#define LIMIT_4G (1ull << 32)

extern const uint8_t hypervisor_image[];
extern const uint8_t hypervisor_image_end[];

EFI_STATUS hypervisor_place(struct stub *stub)
{
	struct elf_layout layout;
	const char *error;
	void *base;

	error = elf_read(hypervisor_image, (size_t)(hypervisor_image_end - hypervisor_image),
			 &layout);
	if (error != NULL)
		return report_failure(EFI_LOAD_ERROR,
				      "the hypervisor inside acrn.efi is broken: %s", error);
	base = pages_take(stub->st->BootServices, (struct pages_request){EfiLoaderCode, layout.size,
									 layout.align, LIMIT_4G});
	if (base == NULL)
		return report_failure(EFI_OUT_OF_RESOURCES,
				      "too little memory: the hypervisor needs %lu KiB below 4 GiB",
				      (unsigned long)(layout.size >> 10));
	elf_place(hypervisor_image, &layout, base);
	stub->hypervisor = (uint64_t)base;
	stub->entry = stub->hypervisor + layout.entry;
	report("hypervisor at 0x%lx, %lu KiB", (unsigned long)stub->hypervisor,
	       (unsigned long)(layout.size >> 10));
	return EFI_SUCCESS;
}

void hypervisor_enter(const struct stub *stub)
{
	__asm__ volatile("cli; cld; jmp *%0"
			 :
			 : "r"(stub->entry), "a"(MB2_LOADER_MAGIC), "b"(stub->mbi.at)
			 : "memory");
	__builtin_unreachable();
}
