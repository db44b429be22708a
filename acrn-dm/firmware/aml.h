/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writes AML (ACPI 6.3, chapter 20) into a buffer. Blocks nest: aml_open_*() returns a mark, aml_close() fills
 * in the length there. After an overflow everything is dropped and aml_ok() is false: check once, at the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct aml {
	uint8_t *buf;
	size_t len, room;
	bool overflow;
};

void aml_init(struct aml *a, void *buf, size_t room);
bool aml_ok(const struct aml *a);
void aml_bytes(struct aml *a, const void *data, size_t len);

/* Marks are offsets of the length field. Names are paths such as "\\_SB" or "PCI0" of four-letter segments. */
size_t aml_open_scope(struct aml *a, const char *name);
size_t aml_open_device(struct aml *a, const char *name);
size_t aml_open_package(struct aml *a, uint8_t elements);
void aml_close(struct aml *a, size_t mark);

/* Name (name, …): the value follows by one of the calls below. */
void aml_name(struct aml *a, const char *name);
void aml_integer(struct aml *a, uint64_t value);
void aml_eisa_id(struct aml *a, const char *id);	/* "PNP0A03" */
void aml_string(struct aml *a, const char *text);

/* Name (_CRS, ResourceTemplate () { … }): the calls between open and close. */
struct aml_crs {
	size_t package, size_at, start;
};
struct aml_crs aml_open_crs(struct aml *a);
void aml_close_crs(struct aml *a, const struct aml_crs *crs);
void aml_crs_io(struct aml *a, uint16_t port, uint8_t len);
void aml_crs_irq(struct aml *a, uint8_t irq);	/* edge, high, exclusive */
void aml_crs_memory32(struct aml *a, uint32_t base, uint32_t len);	/* fixed, writable */
void aml_crs_bus_window(struct aml *a, uint16_t first, uint16_t last);
void aml_crs_io_window(struct aml *a, uint16_t first, uint16_t last);
void aml_crs_memory32_window(struct aml *a, uint32_t first, uint32_t last);
void aml_crs_memory64_window(struct aml *a, uint64_t first, uint64_t last);
