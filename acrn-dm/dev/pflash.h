/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A NOR flash chip with the Intel command set (CFI 1) as a state machine over its bytes. What a guest sees when it
 * reads is either the array or registers; the owner, who has given the guest a readable copy of the array, is told
 * when that changes.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PFLASH_BLOCK	4096u	/* what one erase command erases */

enum pflash_view { PFLASH_ARRAY, PFLASH_STATUS, PFLASH_IDENTITY, PFLASH_QUERY };

struct pflash {
	uint8_t *data;			/* the array; set by the owner, with size */
	uint32_t size;			/* a multiple of PFLASH_BLOCK */
	enum pflash_view view;
	uint8_t status;
	uint8_t command;		/* waits for its second cycle, 0: none */
	uint32_t left;			/* bytes a buffered write still takes */
	uint32_t dirty_from, dirty_to;	/* changed since the owner looked; from >= to: nothing */
};

void pflash_reset(struct pflash *p);
/* The byte that a read at off gives now. */
uint8_t pflash_byte(const struct pflash *p, uint32_t off);
/* One write cycle of 1, 2, 4 or 8 bytes at off < size. */
void pflash_write(struct pflash *p, uint32_t off, unsigned int size, uint64_t value);
