/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A virtual MC146818 clock with 128 bytes of CMOS at ports 0x70-0x71. The time is the outside
 * clock's plus an offset that the guest changes by setting its clock. There is no interrupt line:
 * update, alarm and periodic events show as flags in register C, for guests that poll, and the
 * enable bits of register B are kept but do nothing. Source: MC146818A data sheet; the century is
 * in byte 0x32, as FADT says on PCs.
 */
#pragma once

#include "lib/spinlock.h"
#include "vdev/io_bus.h"

#define VRTC_PORT 0x70U
#define VRTC_CENTURY 0x32U

struct vrtc_date {
	unsigned int year, month, mday, hour, min, sec;
};

struct vrtc {
	struct spinlock lock; /* above nothing; clock is called under it and takes no lock */
	uint8_t index;
	uint8_t cmos[128];    /* without the clock's own registers, except A and B and the alarm */
	int64_t offset;	      /* microseconds that the guest's clock is ahead */
	struct vrtc_date held; /* the guest's date while SET holds the clock, even a wrong one */
	uint64_t seen;	      /* guest time at which C was read last */
	uint64_t (*clock)(void *ctx); /* UTC, microseconds since 1970 */
	void *ctx;
};

/* BCD, 24 hours, running. */
void vrtc_init(struct vrtc *v, uint64_t (*clock)(void *ctx), void *ctx);
int vrtc_attach(struct vrtc *v, struct io_bus *bus);
enum io_result vrtc_port(void *v, struct io_access *io);

/* A byte of CMOS that firmware would set (memory size, boot order); not 0x00-0x0D or 0x32. */
void vrtc_set_cmos(struct vrtc *v, uint8_t index, uint8_t value);

/* The guest's time, microseconds since 1970. */
uint64_t vrtc_now(struct vrtc *v);
