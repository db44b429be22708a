# SPDX-License-Identifier: BSD-3-Clause

MEMMAP := hypervisor/mm/memmap.c hypervisor/mm/efi_memory.c
MULTIBOOT := hypervisor/boot/multiboot.c hypervisor/boot/boot_memory.c $(MEMMAP)

UNIT_TESTS += mm_memmap
mm_memmap_SRCS := tests/unit/boot/test_memmap.c hypervisor/mm/memmap.c

UNIT_TESTS += mm_efi_memory
mm_efi_memory_SRCS := tests/unit/boot/test_efi_memory.c $(MEMMAP)

UNIT_TESTS += boot_multiboot
boot_multiboot_SRCS := tests/unit/boot/test_multiboot.c $(MULTIBOOT)

UNIT_TESTS += vm_load_bzimage
vm_load_bzimage_SRCS := tests/unit/boot/test_load_bzimage.c hypervisor/vm/load_bzimage.c $(MEMMAP)

UNIT_TESTS += efi_mbi
efi_mbi_SRCS := tests/unit/boot/test_mbi.c efi/mbi.c $(MULTIBOOT)
efi_mbi_CFLAGS := -Iefi

UNIT_TESTS += efi_elf
efi_elf_SRCS := tests/unit/boot/test_elf.c efi/elf.c

UNIT_TESTS += efi_section
efi_section_SRCS := tests/unit/boot/test_section.c efi/section.c
efi_section_CFLAGS := -Iefi

UNIT_TESTS += efi_load_option
efi_load_option_SRCS := tests/unit/boot/test_load_option.c efi/load_option.c
efi_load_option_CFLAGS := -Iefi

UNIT_TESTS += efi_path
efi_path_SRCS := tests/unit/boot/test_path.c efi/path.c efi/options.c hypervisor/config/slice.c
efi_path_CFLAGS := -Iefi

FUZZERS += fuzz_multiboot
fuzz_multiboot_SRCS := tests/unit/boot/fuzz_multiboot.c $(MULTIBOOT)

FUZZERS += fuzz_elf
fuzz_elf_SRCS := tests/unit/boot/fuzz_elf.c efi/elf.c
fuzz_elf_CFLAGS := -Iefi
