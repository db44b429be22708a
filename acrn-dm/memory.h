/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Guest memory, and the only way to it. Every address that a guest gives goes through mem_ptr(),
 * mem_iov(), mem_read() or mem_write(), which check the whole range; no base pointer can be had.
 * The memory stays mapped at one place from memory_init() to memory_exit(), resets included, so a
 * checked pointer stays valid that long; what it points to is changed by the guest at any time, so
 * copy once, check, then use.
 *
 *   guest:  [0, lowmem)  lowmem <= 2 GiB   and   [4 GiB, 4 GiB + highmem)
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define MEM_LOW_LIMIT	0x80000000ull	/* the PCI hole begins here */
#define MEM_HIGH_BASE	0x100000000ull

/*
 * Allocates size bytes of guest memory (page multiple), zeroed, and splits it into low and high; hugetlb: out of the
 * huge pages of 2 MiB that the Service VM has set aside. Returns 0 or -errno.
 */
int memory_init(uint64_t size, bool hugetlb);
/*
 * Gives the memory to the VM made by hsm_create_vm(), in_pieces: so that it can be taken back piece by piece, if the
 * HSM can do that. Returns 0 or -errno.
 */
int memory_map_guest(bool in_pieces);
/* Frees the memory; the VM must be destroyed before. */
void memory_exit(void);

uint64_t mem_lowmem(void);	/* bytes below the PCI hole */
uint64_t mem_highmem(void);	/* bytes from 4 GiB on */

/* The address of [gpa, gpa + len) in this process, or NULL unless every byte is guest RAM in one piece. */
void *mem_ptr(uint64_t gpa, size_t len);

/*
 * Appends [gpa, gpa + len) to iov[*cnt..max). len 0 appends nothing. Returns true, or false (and leaves
 * *cnt alone) when a byte is not RAM or the array is full.
 */
bool mem_iov(uint64_t gpa, size_t len, struct iovec *iov, unsigned int *cnt, unsigned int max);

/* How far into the VM's memory an address that mem_ptr() gave is; the PCI hole does not count. */
uint64_t mem_offset(const void *p);

/*
 * What the guest does not need goes back to the Service VM piece by piece, and comes again, empty. A device may still
 * write where a piece is missing: the guest finds it when it has the piece again. From any thread.
 */
uint64_t mem_piece_size(void);		/* bytes, a power of two; 0: nothing can be taken back */
int mem_take(uint64_t offset);		/* the piece that holds offset; 0 also if it is missing already, or -errno */
int mem_give(uint64_t offset);		/* the contrary */
int mem_give_all(void);
uint64_t mem_taken(void);		/* bytes that are missing now */

/* Copies out of or into guest memory. False, with nothing copied, unless the whole range is RAM. */
bool mem_read(uint64_t gpa, void *to, size_t len);
bool mem_write(uint64_t gpa, const void *from, size_t len);
