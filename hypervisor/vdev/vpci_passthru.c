/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each byte of the first 256 is one of three things: a copy (cfg), of which the guest may write the bits of wmask;
 * live, read from the hardware and written in the few ways below; or, named nowhere, zero. Power states are pretended:
 * the device stays in D0, since a way back may forget its BARs and its MSI-X table.
 */
#include "vdev/vpci_passthru.h"

#include "lib/bitmap.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/util.h"

#define REG_COMMAND 0x04U
#define REG_STATUS 0x06U
#define REG_REVISION 0x08U
#define REG_HEADER 0x0EU
#define REG_BAR0 0x10U
#define REG_SUBSYSTEM 0x2CU
#define REG_CAPS 0x34U
#define REG_LINE 0x3CU
#define REG_PIN 0x3DU
#define REG_EXTENDED 0x100U

#define COMMAND_IO 0x0001U
#define COMMAND_MEMORY 0x0002U
#define COMMAND_MASTER 0x0004U
#define COMMAND_INTX_OFF 0x0400U
#define STATUS_CAPS 0x0010U
#define STATUS_CLEARABLE 0xF900U /* written 1 to be cleared */
#define CLASS_BRIDGE 0x06U

#define CAP_PM 0x01U
#define CAP_MSI 0x05U
#define CAP_VENDOR 0x09U
#define CAP_EXPRESS 0x10U
#define CAP_MSIX 0x11U
#define CAPS_MAX 48U

#define MSI_64BIT 0x80U
#define MSI_MASKABLE 0x100U
#define PM_NO_SOFT_RESET 0x08U
#define PM_NO_PME 0x07FFU
#define EXPRESS_FLR 0x10000000U
#define EXPRESS_CONTROL 8U
#define EXPRESS_STATUS 10U
/* relaxed ordering, no snoop, how much one read may ask for */
#define EXPRESS_CONTROL_WRITABLE 0x7810U
#define EXPRESS_STATUS_CLEARABLE 0x000FU
#define EXT_SERIAL 0x0003U
#define EXT_SERIAL_SIZE 12U

static uint32_t get(const uint8_t *bytes, unsigned int at, unsigned int size)
{
	uint32_t v = 0;

	for (unsigned int i = 0; i < size; i++)
		v |= (uint32_t)bytes[at + i] << (i * 8U);
	return v;
}

static void put(uint8_t *bytes, unsigned int at, unsigned int size, uint32_t v)
{
	for (unsigned int i = 0; i < size; i++)
		bytes[at + i] = (uint8_t)(v >> (i * 8U));
}

static uint32_t hw(const struct vpci_passthru *p, unsigned int reg, unsigned int size)
{
	return p->ops->hw_read(p->ctx, (uint16_t)reg, (uint8_t)size);
}

static void hw_set(const struct vpci_passthru *p, unsigned int reg, unsigned int size, uint32_t value)
{
	p->ops->hw_write(p->ctx, (uint16_t)reg, (uint8_t)size, value);
}

static void make_live(struct vpci_passthru *p, unsigned int at, unsigned int size)
{
	for (unsigned int i = at; i < at + size && i < 256U; i++)
		bitmap_set(p->live, i);
}

static void copy(struct vpci_passthru *p, unsigned int at, unsigned int size)
{
	for (unsigned int i = at; i < at + size; i += 2U)
		put(p->cfg, i, 2, hw(p, i, 2));
}

/* --- BARs --- */

/* What the hardware's register keeps of ones: 0 where there is no BAR. */
static uint32_t probe(const struct vpci_passthru *p, unsigned int bar)
{
	unsigned int reg = REG_BAR0 + 4U * bar;
	uint32_t old = hw(p, reg, 4), kept;

	hw_set(p, reg, 4, 0xFFFFFFFFU);
	kept = hw(p, reg, 4);
	hw_set(p, reg, 4, old);
	return kept;
}

static void read_bar(struct vpci_passthru *p, unsigned int i)
{
	struct vpci_bar *b = &p->bar[i];
	uint32_t low = hw(p, REG_BAR0 + 4U * i, 4), kept = probe(p, i);

	if (kept == 0)
		return;
	if ((low & 1U) != 0) {
		b->type = VPCI_BAR_IO;
		b->phys = low & 0xFFFCU;
		b->size = (~(kept & 0xFFFCU) & 0xFFFFU) + 1U;
		return;
	}
	b->phys = low & ~0xFU;
	if ((low & 6U) == 4U && i + 1U < VPCI_BARS) {
		uint64_t mask = (uint64_t)probe(p, i + 1U) << 32 | (kept & ~0xFU);

		b->type = VPCI_BAR_MEM64;
		b->phys |= (uint64_t)hw(p, REG_BAR0 + 4U * i + 4U, 4) << 32;
		b->size = ~mask + 1U;
		p->bar[i + 1U].type = VPCI_BAR_HIGH;
	} else {
		b->type = VPCI_BAR_MEM32;
		b->size = (uint32_t)(~(kept & ~0xFU) + 1U);
	}
}

static uint32_t decoding(const struct vpci_passthru *p)
{
	uint32_t command = 0;

	for (unsigned int i = 0; i < VPCI_BARS; i++) {
		if (p->bar[i].type == VPCI_BAR_IO)
			command |= COMMAND_IO;
		else if (p->bar[i].type != VPCI_BAR_NONE)
			command |= COMMAND_MEMORY;
	}
	return command;
}

static void read_bars(struct vpci_passthru *p)
{
	hw_set(p, REG_COMMAND, 2, COMMAND_INTX_OFF);
	for (unsigned int i = 0; i < VPCI_BARS; i++)
		if (p->bar[i].type != VPCI_BAR_HIGH)
			read_bar(p, i);
	hw_set(p, REG_COMMAND, 2, COMMAND_INTX_OFF | decoding(p));
}

/* The guest's register: its own address, the hardware's kind. */
static int set_bar(struct vpci_passthru *p, unsigned int i, const uint32_t *want)
{
	struct vpci_bar *b = &p->bar[i];
	unsigned int reg = REG_BAR0 + 4U * i;
	uint32_t kind_mask = b->type == VPCI_BAR_IO ? 3U : 0xFU;
	uint64_t writable = ~(b->size - 1U) & ~(uint64_t)kind_mask;

	b->guest = want[i] & ~kind_mask;
	if (b->type == VPCI_BAR_MEM64)
		b->guest |= (uint64_t)want[i + 1U] << 32;
	if ((b->guest & (b->size - 1U)) != 0)
		return -EINVAL;
	put(p->cfg, reg, 4, (uint32_t)b->guest | (hw(p, reg, 4) & kind_mask));
	put(p->wmask, reg, 4, (uint32_t)writable);
	if (b->type == VPCI_BAR_MEM64) {
		put(p->cfg, reg + 4U, 4, (uint32_t)(b->guest >> 32));
		put(p->wmask, reg + 4U, 4, (uint32_t)(writable >> 32));
	}
	return 0;
}

bool vpci_passthru_decodes(const struct vpci_passthru *p, unsigned int bar)
{
	const struct vpci_bar *b = &p->bar[bar];
	uint32_t command = get(p->cfg, REG_COMMAND, 2);
	uint64_t limit = b->type == VPCI_BAR_IO ? 0x10000UL : b->type == VPCI_BAR_MEM32 ? 1UL << 32 : 1UL << 48;

	if (b->type == VPCI_BAR_NONE || b->type == VPCI_BAR_HIGH || b->guest == 0)
		return false;
	return (command & (b->type == VPCI_BAR_IO ? COMMAND_IO : COMMAND_MEMORY)) != 0 &&
	       range_within(b->guest, b->size, 0, limit);
}

static void bars_written(struct vpci_passthru *p)
{
	for (unsigned int i = 0; i < VPCI_BARS; i++) {
		struct vpci_bar *b = &p->bar[i];
		unsigned int reg = REG_BAR0 + 4U * i;

		if (b->type == VPCI_BAR_NONE || b->type == VPCI_BAR_HIGH)
			continue;
		b->guest = get(p->cfg, reg, 4) & (b->type == VPCI_BAR_IO ? ~3U : ~0xFU);
		if (b->type == VPCI_BAR_MEM64)
			b->guest |= (uint64_t)get(p->cfg, reg + 4U, 4) << 32;
	}
	p->ops->bars_changed(p->ctx);
}

/* --- capabilities: each returns how many bytes of it the guest sees, 0: none --- */

static unsigned int add_pm(struct vpci_passthru *p, unsigned int at)
{
	put(p->cfg, at + 2U, 2, hw(p, at + 2U, 2) & PM_NO_PME);
	p->cfg[at + 4U] = PM_NO_SOFT_RESET;
	p->wmask[at + 4U] = 3;
	return 8;
}

static unsigned int add_msi(struct vpci_passthru *p, unsigned int at)
{
	uint32_t control = hw(p, at + 2U, 2) & MSI_64BIT; /* one message, which cannot be masked */
	unsigned int data = (control & MSI_64BIT) != 0 ? at + 12U : at + 8U;

	p->msi = (uint8_t)at;
	put(p->cfg, at + 2U, 2, control);
	p->wmask[at + 2U] = 1;
	put(p->wmask, at + 4U, 4, 0xFFFFFFFCU);
	if ((control & MSI_64BIT) != 0)
		put(p->wmask, at + 8U, 4, 0xFFFFFFFFU);
	put(p->wmask, data, 2, 0xFFFFU);
	return data + 2U - at;
}

static unsigned int add_msix(struct vpci_passthru *p, unsigned int at)
{
	p->msix = (uint8_t)at;
	copy(p, at + 2U, 10);
	put(p->cfg, at + 2U, 2, MIN(hw(p, at + 2U, 2) & 0x07FFU, VPCI_MSIX_MAX - 1U));
	put(p->wmask, at + 2U, 2, VPCI_MSIX_ENABLE | VPCI_MSIX_MASK_ALL);
	return 12;
}

/* Up to the link: no slot, no root, and nothing of what the second version adds. */
static unsigned int add_express(struct vpci_passthru *p, unsigned int at)
{
	p->express = (uint8_t)at;
	copy(p, at + 2U, 6);
	put(p->cfg, at + 4U, 4, get(p->cfg, at + 4U, 4) & ~EXPRESS_FLR);
	make_live(p, at + EXPRESS_CONTROL, 12);
	return (p->cfg[at + 2U] & 0xFU) >= 2U ? 0x3C : 0x14;
}

static unsigned int add_vendor(struct vpci_passthru *p, unsigned int at)
{
	unsigned int length = hw(p, at + 2U, 1);

	make_live(p, at + 2U, length > 2U ? length - 2U : 1U);
	return MAX(length, 3U);
}

static unsigned int add_cap(struct vpci_passthru *p, unsigned int id, unsigned int at)
{
	switch (id) {
	case CAP_PM:
		return at <= 0xF8U ? add_pm(p, at) : 0;
	case CAP_MSI:
		return at <= 0xE8U && p->msi == 0 ? add_msi(p, at) : 0;
	case CAP_MSIX:
		return at <= 0xF4U && p->msix == 0 ? add_msix(p, at) : 0;
	case CAP_EXPRESS:
		return at <= 0xC4U && p->express == 0 ? add_express(p, at) : 0;
	case CAP_VENDOR:
		return add_vendor(p, at);
	default:
		return 0;
	}
}

/* The guest's list is the hardware's without what is not for it. A list that bites its tail ends. */
static void read_caps(struct vpci_passthru *p)
{
	unsigned int at = (hw(p, REG_STATUS, 2) & STATUS_CAPS) != 0 ? hw(p, REG_CAPS, 1) & 0xFCU : 0;
	unsigned int link = REG_CAPS;

	for (unsigned int n = 0; n < CAPS_MAX && at >= 0x40U; n++) {
		unsigned int id = hw(p, at, 1), next = hw(p, at + 1U, 1) & 0xFCU;

		if (p->cfg[at] == 0 && add_cap(p, id, at) != 0) {
			p->cfg[at] = (uint8_t)id;
			p->cfg[link] = (uint8_t)at;
			link = at + 1U;
		}
		at = next;
	}
	p->cfg[link] = 0;
}

/* Only a serial number is of use to a guest; it is shown at the head of the list. */
static void read_extended(struct vpci_passthru *p)
{
	unsigned int at = REG_EXTENDED;

	for (unsigned int n = 0; n < CAPS_MAX && at >= REG_EXTENDED && at <= 0xFF4U; n++) {
		uint32_t head = hw(p, at, 4);

		if (head == 0 || head == 0xFFFFFFFFU)
			return;
		if ((head & 0xFFFFU) == EXT_SERIAL) {
			p->serial = (uint16_t)at;
			return;
		}
		at = head >> 20 & 0xFFCU;
	}
}

static void read_identity(struct vpci_passthru *p, const struct acrn_pcidev *want)
{
	copy(p, 0, 4);
	copy(p, REG_REVISION, 4);
	copy(p, REG_SUBSYSTEM, 4);
	put(p->wmask, REG_COMMAND, 2, COMMAND_MASTER | COMMAND_INTX_OFF | decoding(p));
	make_live(p, REG_STATUS, 2);
	p->wmask[0x0C] = 0xFF; /* cache line: nothing follows from it */
	p->wmask[REG_LINE] = 0xFF;
	p->cfg[REG_LINE] = want->intr_line;
	p->cfg[REG_PIN] = want->intr_pin;
}

int vpci_passthru_init(struct vpci_passthru *p, const struct vpci_passthru_ops *ops, void *ctx,
		       const struct acrn_pcidev *want)
{
	*p = (struct vpci_passthru){ .ops = ops, .ctx = ctx };
	if (hw(p, 0, 2) == 0xFFFFU || (hw(p, REG_HEADER, 1) & 0x7FU) != 0 ||
	    hw(p, REG_REVISION + 3U, 1) == CLASS_BRIDGE)
		return -ENODEV;
	read_bars(p);
	for (unsigned int i = 0; i < VPCI_BARS; i++)
		if (p->bar[i].type != VPCI_BAR_NONE && p->bar[i].type != VPCI_BAR_HIGH && set_bar(p, i, want->bar) != 0)
			return -EINVAL;
	read_identity(p, want);
	read_caps(p);
	if (p->express != 0)
		read_extended(p);
	vpci_passthru_quiesce(p);
	return 0;
}

void vpci_passthru_quiesce(struct vpci_passthru *p)
{
	hw_set(p, REG_COMMAND, 2, COMMAND_INTX_OFF | decoding(p));
	vpci_passthru_program_msi(p, NULL, 0);
	vpci_passthru_program_msix(p, false, false);
}

/* --- the guest reads and writes --- */

static uint32_t read_serial(const struct vpci_passthru *p, unsigned int reg, unsigned int size)
{
	unsigned int at = reg - REG_EXTENDED;
	uint32_t dword;

	if (p->serial == 0 || at >= EXT_SERIAL_SIZE)
		return 0;
	dword = at < 4U ? 0x10000U | EXT_SERIAL : hw(p, p->serial + (at & ~3U), 4);
	return (uint32_t)(dword >> (at % 4U * 8U) & bytes_mask(size));
}

uint32_t vpci_passthru_read(const struct vpci_passthru *p, uint16_t reg, uint8_t size)
{
	uint32_t value, real;

	if (reg >= REG_EXTENDED)
		return read_serial(p, reg, size);
	value = get(p->cfg, reg, size);
	real = 0;
	for (unsigned int i = 0; i < size; i++)
		if (bitmap_test(p->live, reg + i))
			real |= 0xFFU << (i * 8U);
	if (real != 0)
		value = (value & ~real) | (hw(p, reg, size) & real);
	return value;
}

static bool touches(unsigned int reg, unsigned int size, unsigned int at, unsigned int length)
{
	return ranges_overlap(reg, size, at, length);
}

/* The 16 bits at `at` of what is written, 0 in bytes that are not. */
static uint32_t written_word(unsigned int reg, unsigned int size, uint32_t value, unsigned int at)
{
	uint8_t bytes[256] = { 0 };

	put(bytes, reg, size, value);
	return get(bytes, at, 2);
}

static void write_status(const struct vpci_passthru *p, unsigned int at, uint32_t ones)
{
	if (ones != 0)
		hw_set(p, at, 2, ones);
}

/* A line that is not the VM's is other devices': a guest must not be able to hold it down. */
static void program_command(struct vpci_passthru *p)
{
	uint32_t guest = get(p->cfg, REG_COMMAND, 2) & (COMMAND_MASTER | COMMAND_INTX_OFF);

	hw_set(p, REG_COMMAND, 2, guest | decoding(p) | (p->has_line ? 0U : COMMAND_INTX_OFF));
}

void vpci_passthru_set_line(struct vpci_passthru *p, bool has_line)
{
	p->has_line = has_line;
	program_command(p);
}

static void command_written(struct vpci_passthru *p)
{
	program_command(p);
	p->ops->bars_changed(p->ctx);
}

static void express_written(const struct vpci_passthru *p, unsigned int reg, unsigned int size, uint32_t value)
{
	unsigned int control = p->express + EXPRESS_CONTROL, status = p->express + EXPRESS_STATUS;
	uint32_t mask = EXPRESS_CONTROL_WRITABLE & written_word(reg, size, 0xFFFFFFFFU, control);

	if (mask != 0)
		hw_set(p, control, 2,
		       (hw(p, control, 2) & ~mask) | (written_word(reg, size, value, control) & mask));
	write_status(p, status, written_word(reg, size, value, status) & EXPRESS_STATUS_CLEARABLE);
}

static void header_written(struct vpci_passthru *p, unsigned int reg, unsigned int size, uint32_t value)
{
	if (touches(reg, size, REG_COMMAND, 2))
		command_written(p);
	if (touches(reg, size, REG_STATUS, 2))
		write_status(p, REG_STATUS, written_word(reg, size, value, REG_STATUS) & STATUS_CLEARABLE);
	if (touches(reg, size, REG_BAR0, 4U * VPCI_BARS))
		bars_written(p);
}

void vpci_passthru_write(struct vpci_passthru *p, uint16_t reg, uint8_t size, uint32_t value)
{
	if (reg >= REG_EXTENDED)
		return;
	for (unsigned int i = 0; i < size; i++) {
		uint8_t mask = p->wmask[reg + i];

		p->cfg[reg + i] = (uint8_t)((p->cfg[reg + i] & ~mask) | (value >> (i * 8U) & mask));
	}
	if (reg < 0x40U)
		header_written(p, reg, size, value);
	if (p->msi != 0 && touches(reg, size, p->msi, 14))
		p->ops->msi_changed(p->ctx);
	if (p->msix != 0 && touches(reg, size, p->msix + 2U, 2))
		p->ops->msix_changed(p->ctx);
	if (p->express != 0 && touches(reg, size, p->express + EXPRESS_CONTROL, 4))
		express_written(p, reg, size, value);
}

/* --- interrupts --- */

static unsigned int msi_data(const struct vpci_passthru *p)
{
	return p->msi + ((get(p->cfg, p->msi + 2U, 2) & MSI_64BIT) != 0 ? 12U : 8U);
}

bool vpci_passthru_msi(const struct vpci_passthru *p, uint64_t *address, uint32_t *data)
{
	if (p->msi == 0 || (p->cfg[p->msi + 2U] & 1U) == 0)
		return false;
	*address = get(p->cfg, p->msi + 4U, 4);
	if (msi_data(p) == p->msi + 12U)
		*address |= (uint64_t)get(p->cfg, p->msi + 8U, 4) << 32;
	*data = get(p->cfg, msi_data(p), 2);
	return true;
}

void vpci_passthru_program_msi(struct vpci_passthru *p, const uint64_t *address, uint32_t data)
{
	uint32_t control;

	if (p->msi == 0)
		return;
	control = hw(p, p->msi + 2U, 2) & ~0x71U; /* off, one message */
	hw_set(p, p->msi + 2U, 2, control);
	if (address == NULL)
		return;
	hw_set(p, p->msi + 4U, 4, (uint32_t)*address);
	if (msi_data(p) == p->msi + 12U)
		hw_set(p, p->msi + 8U, 4, (uint32_t)(*address >> 32));
	hw_set(p, msi_data(p), 2, data & 0xFFFFU);
	if ((control & MSI_MASKABLE) != 0)
		hw_set(p, msi_data(p) + 4U, 4, 0);
	hw_set(p, p->msi + 2U, 2, control | 1U);
}

uint16_t vpci_passthru_msix_control(const struct vpci_passthru *p)
{
	return p->msix == 0 ? 0 : (uint16_t)get(p->cfg, p->msix + 2U, 2);
}

unsigned int vpci_passthru_msix_table(const struct vpci_passthru *p, unsigned int *bar, uint32_t *offset)
{
	uint32_t table;

	if (p->msix == 0)
		return 0;
	table = get(p->cfg, p->msix + 4U, 4);
	*bar = table & 7U;
	*offset = table & ~7U;
	return (get(p->cfg, p->msix + 2U, 2) & 0x7FFU) + 1U;
}

void vpci_passthru_program_msix(struct vpci_passthru *p, bool enable, bool mask)
{
	if (p->msix != 0)
		hw_set(p, p->msix + 2U, 2, (enable ? VPCI_MSIX_ENABLE : 0U) | (mask ? VPCI_MSIX_MASK_ALL : 0U));
}
