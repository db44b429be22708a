/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The clock is one number, microseconds since 1970, made into fields at a read and made of fields
 * at a write. A field that the guest writes while the clock runs counts at once; with SET the
 * fields are held as they are written, since they may pass through dates that do not exist.
 */
#include "vdev/vrtc.h"

#include "lib/bits.h"
#include "lib/util.h"

#define SECOND 1000000UL
#define DAY 86400UL

enum {
	SEC = 0, SEC_ALARM, MIN_, MIN_ALARM, HOUR, HOUR_ALARM, WEEKDAY, MDAY, MONTH, YEAR,
	REG_A, REG_B, REG_C, REG_D,
};

#define A_UPDATING BIT32(7)
#define A_RESET 0x26U /* 32 kHz time base, 1024 Hz */
#define B_24H BIT32(1)
#define B_BINARY BIT32(2)
#define B_SET BIT32(7)
#define C_UPDATE BIT32(4)
#define C_ALARM BIT32(5)
#define C_PERIODIC BIT32(6)
#define D_VALID 0x80U
#define HOUR_PM 0x80U
#define ALARM_ANY 0xC0U
#define UPDATE_TIME 244U /* microseconds before the second that A announces it */

/* Days since 1970 of a date; years begin in March here, so that the leap day comes last. */
static uint64_t days_of(const struct vrtc_date *d)
{
	uint64_t year = d->year - (d->month <= 2U ? 1U : 0U);
	uint64_t yday = (153U * ((d->month + 9U) % 12U) + 2U) / 5U + d->mday - 1U;

	return year * 365U + year / 4U - year / 100U + year / 400U + yday - 719468U;
}

static struct vrtc_date date_of(uint64_t seconds)
{
	uint64_t days = seconds / DAY + 719468U, in_day = seconds % DAY;
	uint64_t era = days / 146097U, day = days % 146097U; /* of 400 years */
	uint64_t year = (day - day / 1460U + day / 36524U - day / 146096U) / 365U;
	uint64_t yday = day - (365U * year + year / 4U - year / 100U);
	uint64_t month = (5U * yday + 2U) / 153U;

	return (struct vrtc_date){
		.year = (unsigned int)(era * 400U + year + (month >= 10U ? 1U : 0U)),
		.month = (unsigned int)(month < 10U ? month + 3U : month - 9U),
		.mday = (unsigned int)(yday - (153U * month + 2U) / 5U + 1U),
		.hour = (unsigned int)(in_day / 3600U),
		.min = (unsigned int)(in_day / 60U % 60U),
		.sec = (unsigned int)(in_day % 60U),
	};
}

static uint64_t seconds_of(const struct vrtc_date *d)
{
	return days_of(d) * DAY + d->hour * 3600U + d->min * 60U + d->sec;
}

static bool is_held(const struct vrtc *v)
{
	return (v->cmos[REG_B] & B_SET) != 0;
}

static uint64_t now(const struct vrtc *v)
{
	if (is_held(v))
		return seconds_of(&v->held) * SECOND;
	return v->clock(v->ctx) + (uint64_t)v->offset;
}

static struct vrtc_date date_now(const struct vrtc *v)
{
	return is_held(v) ? v->held : date_of(now(v) / SECOND);
}

static uint8_t encode(const struct vrtc *v, unsigned int value)
{
	if ((v->cmos[REG_B] & B_BINARY) != 0)
		return (uint8_t)value;
	return (uint8_t)(value / 10U % 10U << 4 | value % 10U);
}

static unsigned int decode(const struct vrtc *v, uint8_t value)
{
	if ((v->cmos[REG_B] & B_BINARY) != 0)
		return value;
	return (value >> 4) * 10U + (value & 15U);
}

static uint8_t encode_hour(const struct vrtc *v, unsigned int hour)
{
	if ((v->cmos[REG_B] & B_24H) != 0)
		return encode(v, hour);
	return encode(v, hour % 12U == 0 ? 12U : hour % 12U) | (hour >= 12U ? HOUR_PM : 0U);
}

static unsigned int decode_hour(const struct vrtc *v, uint8_t value)
{
	unsigned int hour;

	if ((v->cmos[REG_B] & B_24H) != 0)
		return decode(v, value);
	hour = decode(v, value & (uint8_t)~HOUR_PM) % 12U;
	return hour + ((value & HOUR_PM) != 0 ? 12U : 0U);
}

static uint8_t read_field(const struct vrtc *v, uint8_t index)
{
	struct vrtc_date d = date_now(v);

	switch (index) {
	case SEC:
		return encode(v, d.sec);
	case MIN_:
		return encode(v, d.min);
	case HOUR:
		return encode_hour(v, d.hour);
	case WEEKDAY: /* 1 is Sunday; 1970 began on a Thursday */
		return encode(v, (unsigned int)((days_of(&d) + 4U) % 7U + 1U));
	case MDAY:
		return encode(v, d.mday);
	case MONTH:
		return encode(v, d.month);
	case YEAR:
		return encode(v, d.year % 100U);
	default:
		return encode(v, d.year / 100U);
	}
}

static unsigned int clamp(unsigned int value, unsigned int low, unsigned int high)
{
	return value < low ? low : MIN(value, high);
}

/* Makes the running clock show a date; the part below a second goes on. */
static void set_date(struct vrtc *v, const struct vrtc_date *d)
{
	uint64_t time = now(v);

	v->offset += (int64_t)(seconds_of(d) * SECOND + time % SECOND - time);
}

static void write_field(struct vrtc *v, uint8_t index, uint8_t value)
{
	struct vrtc_date d = date_now(v);
	unsigned int plain = decode(v, value);

	switch (index) {
	case SEC:
		d.sec = clamp(plain, 0, 59);
		break;
	case MIN_:
		d.min = clamp(plain, 0, 59);
		break;
	case HOUR:
		d.hour = clamp(decode_hour(v, value), 0, 23);
		break;
	case MDAY:
		d.mday = clamp(plain, 1, 31);
		break;
	case MONTH:
		d.month = clamp(plain, 1, 12);
		break;
	case YEAR:
		d.year = d.year / 100U * 100U + clamp(plain, 0, 99);
		break;
	case VRTC_CENTURY:
		d.year = clamp(plain, 19, 99) * 100U + d.year % 100U;
		break;
	default: /* the weekday follows from the date */
		return;
	}
	d.year = MAX(d.year, 1970U);
	if (is_held(v))
		v->held = d;
	else
		set_date(v, &d);
}

static void write_b(struct vrtc *v, uint8_t value)
{
	bool was_held = is_held(v);
	uint64_t time = now(v);

	if (!was_held)
		v->held = date_of(time / SECOND);
	v->cmos[REG_B] = value;
	if (was_held && !is_held(v))
		v->offset = (int64_t)(time - v->clock(v->ctx));
}

static bool alarm_field_matches(const struct vrtc *v, uint8_t index)
{
	return v->cmos[index] >= ALARM_ANY || v->cmos[index] == read_field(v, index - 1U);
}

/* What happened since C was read last: enough for software that polls about once a second. */
static uint8_t read_c(struct vrtc *v)
{
	uint64_t time = now(v), before = v->seen;
	uint8_t flags = 0;

	v->seen = time;
	if (time - before >= 1000U && (v->cmos[REG_A] & 15U) != 0)
		flags |= C_PERIODIC;
	if (time / SECOND == before / SECOND)
		return flags;
	flags |= C_UPDATE;
	if (alarm_field_matches(v, SEC_ALARM) && alarm_field_matches(v, MIN_ALARM) &&
	    alarm_field_matches(v, HOUR_ALARM))
		flags |= C_ALARM;
	return flags;
}

static uint8_t read_a(const struct vrtc *v)
{
	bool is_updating = !is_held(v) && now(v) % SECOND >= SECOND - UPDATE_TIME;

	return v->cmos[REG_A] | (is_updating ? A_UPDATING : 0U);
}

static bool is_time(uint8_t index)
{
	return index == VRTC_CENTURY || index == SEC || index == MIN_ || index == HOUR ||
	       (index >= WEEKDAY && index <= YEAR);
}

static uint8_t read_cmos(struct vrtc *v, uint8_t index)
{
	if (is_time(index))
		return read_field(v, index);
	if (index == REG_A)
		return read_a(v);
	if (index == REG_C)
		return read_c(v);
	return index == REG_D ? D_VALID : v->cmos[index];
}

static void write_cmos(struct vrtc *v, uint8_t index, uint8_t value)
{
	if (is_time(index))
		write_field(v, index, value);
	else if (index == REG_A)
		v->cmos[index] = value & 0x7FU;
	else if (index == REG_B)
		write_b(v, value);
	else if (index != REG_C && index != REG_D)
		v->cmos[index] = value;
}

static uint8_t read_byte(void *dev, uint64_t port)
{
	struct vrtc *v = dev;
	uint8_t value = 0xFF; /* the index cannot be read back on a PC */

	spinlock_lock(&v->lock);
	if (port != VRTC_PORT)
		value = read_cmos(v, v->index);
	spinlock_unlock(&v->lock);
	return value;
}

static void write_byte(void *dev, uint64_t port, uint8_t value)
{
	struct vrtc *v = dev;

	spinlock_lock(&v->lock);
	if (port == VRTC_PORT)
		v->index = value & 0x7FU; /* bit 7 masks NMI on boards; there is none to mask */
	else
		write_cmos(v, v->index, value);
	spinlock_unlock(&v->lock);
}

enum io_result vrtc_port(void *v, struct io_access *io)
{
	static const struct io_bytes ops = { read_byte, write_byte };

	return io_bus_bytes(&ops, v, io);
}

void vrtc_init(struct vrtc *v, uint64_t (*clock)(void *ctx), void *ctx)
{
	*v = (struct vrtc){ .clock = clock, .ctx = ctx };
	spinlock_init(&v->lock);
	v->cmos[REG_A] = A_RESET;
	v->cmos[REG_B] = B_24H;
	v->seen = now(v);
}

int vrtc_attach(struct vrtc *v, struct io_bus *bus)
{
	return io_bus_add_ports(bus, VRTC_PORT, 2, vrtc_port, v);
}

void vrtc_set_cmos(struct vrtc *v, uint8_t index, uint8_t value)
{
	if (index > REG_D && index < sizeof(v->cmos) && index != VRTC_CENTURY)
		v->cmos[index] = value;
}

uint64_t vrtc_now(struct vrtc *v)
{
	uint64_t time;

	spinlock_lock(&v->lock);
	time = now(v);
	spinlock_unlock(&v->lock);
	return time;
}
