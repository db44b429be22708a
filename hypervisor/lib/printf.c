/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Formatting of text for logs and dumps. A conversion that is not in the list of lib/printf.h is
 * copied as it stands and takes no argument: a mistake is seen instead of read as a pointer.
 */
#include "lib/printf.h"
#include "lib/util.h"

struct out {
	char *buf;
	size_t size;
	size_t len; /* as if the buffer were endless */
};

struct spec {
	bool left, zero, alternate, upper;
	int width, precision; /* precision < 0: not given */
	unsigned int longs;   /* 0 int, 1 or more: 64 bits */
};

static void put(struct out *o, char c)
{
	if (o->len + 1U < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void put_many(struct out *o, char c, int count)
{
	for (; count > 0; count--)
		put(o, c);
}

static void put_text(struct out *o, const struct spec *spec, const char *s)
{
	int len = 0;

	if (s == NULL)
		s = "(null)";
	while ((spec->precision < 0 || len < spec->precision) && s[len] != '\0')
		len++;
	if (!spec->left)
		put_many(o, ' ', spec->width - len);
	for (int i = 0; i < len; i++)
		put(o, s[i]);
	if (spec->left)
		put_many(o, ' ', spec->width - len);
}

/* Puts value in base with prefix, which stands before the zeros. */
static void put_number(struct out *o, const struct spec *spec, uint64_t value, unsigned int base,
		       const char *prefix)
{
	const char *digits = spec->upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[24];
	int len = 0, prefix_len = 0, zeros;

	do {
		text[len++] = digits[value % base];
		value /= base;
	} while (value != 0U);
	while (prefix[prefix_len] != '\0')
		prefix_len++;
	zeros = spec->precision - len;
	if (spec->zero && !spec->left && spec->precision < 0)
		zeros = spec->width - len - prefix_len;
	zeros = MAX(zeros, 0);
	if (!spec->left)
		put_many(o, ' ', spec->width - prefix_len - zeros - len);
	for (int i = 0; i < prefix_len; i++)
		put(o, prefix[i]);
	put_many(o, '0', zeros);
	for (int i = len; i > 0; i--)
		put(o, text[i - 1]);
	if (spec->left)
		put_many(o, ' ', spec->width - prefix_len - zeros - len);
}

static const char *parse_number(const char *p, int *number)
{
	*number = 0;
	for (; *p >= '0' && *p <= '9'; p++)
		if (*number < 10000)
			*number = *number * 10 + (*p - '0');
	return p;
}

/* Parses flags, width, precision and length after '%'; returns the conversion's place. */
static const char *parse_spec(const char *p, struct spec *spec, va_list *ap)
{
	*spec = (struct spec){ .precision = -1 };
	for (;; p++) {
		if (*p == '-')
			spec->left = true;
		else if (*p == '0')
			spec->zero = true;
		else if (*p == '#')
			spec->alternate = true;
		else
			break;
	}
	if (*p == '*') {
		spec->width = va_arg(*ap, int);
		p++;
	} else {
		p = parse_number(p, &spec->width);
	}
	if (*p == '.' && p[1] == '*') {
		spec->precision = va_arg(*ap, int);
		p += 2;
	} else if (*p == '.') {
		p = parse_number(p + 1, &spec->precision);
	}
	for (; *p == 'l' || *p == 'z'; p++)
		spec->longs++;
	return p;
}

static void put_signed(struct out *o, const struct spec *spec, int64_t value)
{
	uint64_t magnitude = value < 0 ? 0UL - (uint64_t)value : (uint64_t)value;

	put_number(o, spec, magnitude, 10, value < 0 ? "-" : "");
}

/* False when c is no conversion of ours. */
static bool convert(struct out *o, struct spec *spec, char c, va_list *ap)
{
	struct spec hex = { .precision = -1, .width = spec->width, .left = spec->left };
	char text[2] = { '\0', '\0' };
	const char *prefix = c == 'X' ? "0X" : "0x";
	uint64_t value;

	switch (c) {
	case 'd':
	case 'i':
		put_signed(o, spec, spec->longs ? va_arg(*ap, long) : va_arg(*ap, int));
		return true;
	case 'u':
	case 'x':
	case 'X':
		spec->upper = c == 'X';
		value = spec->longs ? va_arg(*ap, unsigned long) : va_arg(*ap, unsigned int);
		put_number(o, spec, value, c == 'u' ? 10 : 16,
			   !spec->alternate || c == 'u' || value == 0U ? "" : prefix);
		return true;
	case 'p':
		put_number(o, &hex, (uintptr_t)va_arg(*ap, void *), 16, "0x");
		return true;
	case 's':
		put_text(o, spec, va_arg(*ap, const char *));
		return true;
	case 'c':
		text[0] = (char)va_arg(*ap, int);
		put_text(o, spec, text);
		return true;
	case '%':
		put(o, '%');
		return true;
	default:
		return false;
	}
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct out o = { .buf = buf, .size = size };
	struct spec spec;
	va_list args;

	va_copy(args, ap);
	while (*fmt != '\0') {
		const char *start = fmt;

		if (*fmt++ != '%') {
			put(&o, *start);
			continue;
		}
		fmt = parse_spec(fmt, &spec, &args);
		if (*fmt != '\0' && convert(&o, &spec, *fmt, &args)) {
			fmt++;
			continue;
		}
		for (; start < fmt; start++)
			put(&o, *start);
	}
	va_end(args);
	if (size != 0U)
		buf[MIN(o.len, size - 1U)] = '\0';
	return (int)o.len;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return len;
}
