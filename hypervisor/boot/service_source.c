/* SPDX-License-Identifier: BSD-3-Clause */
/* See service_source.h. Modules are read in place, through the direct map. */
#include "boot/service_source.h"

#include "hw/paging.h"
#include "hw/panic.h"

struct bzimage_source *service_source(const struct scenario *scenario,
				      const struct boot_info *boot)
{
	static struct bzimage_source source;
	const struct boot_module *kernel = boot_info_module(boot, "kernel");
	const struct boot_module *initrd = boot_info_module(boot, "initrd");

	if (kernel == NULL)
		panic_refuse("the boot entry has no module named kernel");
	source.kernel = kernel->base;
	source.kernel_data = phys_to_virt(kernel->base);
	source.kernel_size = kernel->size;
	source.initrd = initrd == NULL ? 0 : initrd->base;
	source.initrd_size = initrd == NULL ? 0 : initrd->size;
	source.cmdline = scenario->service_vm.cmdline;
	source.efi_systab = boot->efi_systab;
	source.efi_map.at = boot->efi_mmap.base == 0 ? NULL : phys_to_virt(boot->efi_mmap.base);
	source.efi_map.size = boot->efi_mmap.size;
	source.efi_map.entry_size = boot->efi_mmap.entry_size;
	source.efi_map_version = boot->efi_mmap_version;
	source.framebuffer = boot->framebuffer;
	return &source;
}
