/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * A piece of somebody else's text: a pointer and a length, never NUL-terminated. acrn.conf is read
 * through these, so that the parser needs no allocation and every error can say where in the file
 * its text stands. Pure and free of libc: the same source serves the EFI stub, the hypervisor and
 * the host tools.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice {
	const char *at;
	size_t len;
};

/* Blanks are space, tab and carriage return (files edited on Windows end their lines with one). */
bool slice_is_blank(char c);

/* The slice without the blanks at its two ends. */
struct slice slice_trim(struct slice s);

/* Whether the slice is exactly this word. */
bool slice_equals(struct slice s, const char *word);

/*
 * Takes the part before the first `separator` off the front of *rest and returns it trimmed.
 * Without a separator it takes all, and rest->at becomes NULL: so `1` and `1,` differ, and a loop
 * over items runs until rest.at is NULL.
 */
struct slice slice_take_item(struct slice *rest, char separator);

/* Takes the next word (up to a blank) off the front of *rest. Empty when there is none. */
struct slice slice_take_word(struct slice *rest);

/* Copies the slice into `to` with a closing NUL; false, and nothing copied, when it does not fit.
 */
bool slice_copy(struct slice s, char *to, size_t size);

/* A whole number, decimal or 0x hexadecimal. False when it is not one or exceeds `max`. */
bool slice_number(struct slice s, uint64_t max, uint64_t *value);

/* A number of bytes, with an optional K, M or G (powers of 1024) behind it. */
bool slice_size(struct slice s, uint64_t *bytes);

/* A list of CPUs like `0,2-3` as a bit map. False for an empty list, a CPU above 63, or a range
 * that runs backwards. */
bool slice_cpus(struct slice s, uint64_t *cpus);

/* A PCI address `bus:device.function` in hexadecimal, as bus << 8 | device << 3 | function. */
bool slice_bdf(struct slice s, uint16_t *bdf);
