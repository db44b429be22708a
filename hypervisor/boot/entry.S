/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the loader to C. Two ways in, one way on: GRUB enters at entry32 (multiboot2, paging off),
 * our EFI stub at entry64 (long mode, low 4 GiB identity-mapped); the latter turns paging off and
 * joins the former. EAX holds the multiboot2 magic, EBX the physical address of its information.
 *
 * The image may lie at any 2 MiB boundary below 4 GiB and there are no relocations: until the jump
 * to the high half, EBP holds the load base and every address is OFFSET(symbol) + EBP.
 */
#define IMAGE_BASE 0xFFFFFFFF80000000
#define LOAD_BASE 0x200000
#define OFFSET(symbol) (symbol - IMAGE_BASE)

#define MB2_HEADER_MAGIC 0xE85250D6
#define MB2_BOOT_MAGIC 0x36D76289

#define SEL_CODE64 0x08
#define SEL_DATA 0x10
#define SEL_CODE32 0x18

#define CR0_PE 0x1
#define CR0_WP 0x10000
#define CR0_PG 0x80000000
#define CR4_PAE 0x20
#define MSR_EFER 0xC0000080
#define EFER_LME 0x100

#define PTE_TABLE 0x3  /* present, writable */
#define PTE_LARGE 0x83 /* and a 2 MiB leaf */

	.section .multiboot2, "a"
	.balign 8
header:
	.long MB2_HEADER_MAGIC
	.long 0
	.long header_end - header
	.long 0x100000000 - (MB2_HEADER_MAGIC + (header_end - header))

	/* Wanted information; all optional here, boot/multiboot.c says what it misses. */
	.balign 8
0:	.short 1, 1
	.long 1f - 0b
	.long 1, 2, 3, 6, 8, 12, 14, 15, 17
1:
	.balign 8
	.short 3, 0
	.long 12
	.long OFFSET(entry32) + LOAD_BASE

	/* VGA text is welcome, too. */
	.balign 8
	.short 4, 1
	.long 12
	.long 2

	/* A framebuffer of 32 bits a pixel, any size. */
	.balign 8
	.short 5, 1
	.long 20
	.long 0, 0, 32

	/* Modules on page boundaries. */
	.balign 8
	.short 6, 0
	.long 8

	/* Load anywhere in 2 MiB .. 4 GiB, 2 MiB aligned, as high as possible. */
	.balign 8
	.short 10, 1
	.long 24
	.long 0x200000, 0xFFFFFFFF, 0x200000, 2

	.balign 8
	.short 0, 0
	.long 8
header_end:

	.section .text.entry, "ax"
	.code64
	.globl entry64
entry64:
	cli
	cld
	movl %eax, %edi
	movl %ebx, %esi
	leaq boot_stack_top(%rip), %rsp
	leaq boot_gdt(%rip), %rax
	movq %rax, boot_gdtr + 2(%rip)
	lgdt boot_gdtr(%rip)
	leaq leave_long_mode(%rip), %rax
	pushq $SEL_CODE32
	pushq %rax
	lretq

	.code32
leave_long_mode:
	movl $SEL_DATA, %eax
	movl %eax, %ss
	movl %cr0, %eax
	andl $~CR0_PG, %eax
	movl %eax, %cr0
	movl $MSR_EFER, %ecx
	rdmsr
	andl $~EFER_LME, %eax
	wrmsr
	jmp find_base

	.globl entry32
entry32:
	cli
	cld
	movl %eax, %edi
	movl %ebx, %esi
	/* No stack yet: the reserved word of the multiboot2 information is good for one push. */
	leal 8(%esi), %esp

find_base:
	call 1f
1:	popl %ebp
	subl $OFFSET(1b), %ebp
	testl $0x1FFFFF, %ebp
	jnz bad_address
	leal OFFSET(boot_stack_top)(%ebp), %esp

	cmpl $MB2_BOOT_MAGIC, %edi
	jne bad_magic
	movl $0x80000000, %eax
	cpuid
	cmpl $0x80000001, %eax
	jb no_long_mode
	movl $0x80000001, %eax
	cpuid
	btl $29, %edx
	jnc no_long_mode

	call build_tables
	leal OFFSET(boot_gdt)(%ebp), %eax
	movl %eax, OFFSET(boot_gdtr) + 2(%ebp)
	movl $0, OFFSET(boot_gdtr) + 6(%ebp)
	lgdt OFFSET(boot_gdtr)(%ebp)

	movl $CR4_PAE, %eax
	movl %eax, %cr4
	leal OFFSET(boot_pml4)(%ebp), %eax
	movl %eax, %cr3
	movl $MSR_EFER, %ecx
	rdmsr
	orl $EFER_LME, %eax
	wrmsr
	movl %cr0, %eax
	orl $(CR0_PG | CR0_WP | CR0_PE), %eax
	andl $0x9FFFFFFF, %eax /* caches on: some BIOSes leave CD and NW set */
	movl %eax, %cr0
	leal OFFSET(long_mode)(%ebp), %eax
	pushl $SEL_CODE64
	pushl %eax
	lretl

/* Identity and direct map of the low 4 GiB, and the image in the high half; by 2 MiB pages. */
build_tables:
	leal OFFSET(boot_pd_low)(%ebp), %edx
	movl $PTE_LARGE, %eax
	xorl %ecx, %ecx
1:	movl %eax, (%edx, %ecx, 8)
	movl $0, 4(%edx, %ecx, 8)
	addl $0x200000, %eax
	incl %ecx
	cmpl $2048, %ecx
	jb 1b

	leal PTE_TABLE(%edx), %eax
	leal OFFSET(boot_pdpt_low)(%ebp), %edx
	xorl %ecx, %ecx
1:	movl %eax, (%edx, %ecx, 8)
	addl $4096, %eax
	incl %ecx
	cmpl $4, %ecx
	jb 1b

	leal PTE_TABLE(%edx), %eax
	leal OFFSET(boot_pml4)(%ebp), %edx
	movl %eax, (%edx)
	movl %eax, 256 * 8(%edx)
	leal OFFSET(boot_pdpt_high) + PTE_TABLE(%ebp), %eax
	movl %eax, 511 * 8(%edx)
	leal OFFSET(boot_pdpt_high)(%ebp), %edx
	leal OFFSET(boot_pd_high) + PTE_TABLE(%ebp), %eax
	movl %eax, 510 * 8(%edx)

	leal OFFSET(boot_pd_high)(%ebp), %edx
	leal PTE_LARGE(%ebp), %eax
	xorl %ecx, %ecx
1:	movl %eax, (%edx, %ecx, 8)
	addl $0x200000, %eax
	incl %ecx
	cmpl $image_size_2m, %ecx
	jb 1b
	ret

/* Too early for any console but the first serial port. EDX: the sentence. */
bad_address:
	movl $OFFSET(bad_address_text), %edx
	jmp say
bad_magic:
	movl $OFFSET(bad_magic_text), %edx
	jmp say
no_long_mode:
	movl $OFFSET(no_long_mode_text), %edx
say:
	leal (%edx, %ebp), %esi
1:	movw $0x3FD, %dx
	movl $0x100000, %ecx
2:	inb %dx, %al
	testb $0x20, %al
	loopz 2b
	lodsb
	testb %al, %al
	jz 3f
	movw $0x3F8, %dx
	outb %al, %dx
	jmp 1b
3:	cli
	hlt
	jmp 3b

	.code64
long_mode:
	movabsq $high_half, %rax
	jmp *%rax

high_half:
	leaq boot_gdt(%rip), %rax
	movq %rax, boot_gdtr + 2(%rip)
	lgdt boot_gdtr(%rip)
	movl $SEL_DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	lldt %ax
	movl %ebp, %ebp
	movq %rbp, image_load_base(%rip)
	movq $boot_stack_top, %rsp
	movq $0, boot_stack(%rip) /* CPU 0's per-CPU area is the section itself */
	xorl %ebp, %ebp
	movl %esi, %edi
	call boot_main
	ud2

/*
 * Another CPU comes here from the trampoline, on the boot tables. Its stack exists only in the
 * final ones. NXE must be on before they are loaded; the trampoline has copied the boot CPU's
 * EFER.
 */
	.globl smp_entry
smp_entry:
	movq smp_cr3(%rip), %rax
	movq %rax, %cr3
	movq smp_stack_top(%rip), %rsp
	lgdt boot_gdtr(%rip)
	movl $SEL_DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	xorl %ebp, %ebp
	call smp_main
	ud2

	.section .rodata, "a"
bad_address_text:
	.asciz "acrn: the loader put the image at an address that is not a multiple of 2 MiB\r\n"
bad_magic_text:
	.asciz "acrn: not started by multiboot2 (in GRUB: multiboot2, not multiboot)\r\n"
no_long_mode_text:
	.asciz "acrn: this processor has no 64-bit mode\r\n"

	.section .data, "aw"
	.balign 8
boot_gdt:
	.quad 0
	.quad 0x00AF9B000000FFFF
	.quad 0x00CF93000000FFFF
	.quad 0x00CF9B000000FFFF
	.balign 8
	.short 0, 0, 0
boot_gdtr:
	.short 4 * 8 - 1
	.quad 0
	.globl image_load_base
	.balign 8
image_load_base:
	.quad 0

	.section .boot_tables, "aw", @nobits
	.balign 4096
	.globl boot_pml4
boot_pml4:
	.skip 4096
boot_pdpt_low:
	.skip 4096
boot_pdpt_high:
	.skip 4096
boot_pd_high:
	.skip 4096
boot_pd_low:
	.skip 4 * 4096

	.section .note.GNU-stack, "", @progbits
