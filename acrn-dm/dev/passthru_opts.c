/* SPDX-License-Identifier: BSD-3-Clause */
/* bus/device/function are hexadecimal, as lspci prints them; '/', ':' and '.' stand between. */
#include "dev/passthru_opts.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

#define ROMFILE "romfile="

static bool number(const char **p, int base, unsigned long limit, unsigned long *value)
{
	char *end;

	if (!isxdigit((unsigned char)**p))
		return false;
	*value = strtoul(*p, &end, base);
	*p = end;
	return *value <= limit;
}

static bool separator(const char **p)
{
	return (**p == '/' || **p == ':' || **p == '.') && (*p)++;
}

static bool parse_address(const char **p, struct passthru_opts *o)
{
	unsigned long bus, dev, fn;

	if (!number(p, 16, 0xff, &bus) || !separator(p) || !number(p, 16, 0x1f, &dev) || !separator(p) ||
	    !number(p, 16, 7, &fn) || (**p && **p != ','))
		return false;
	o->bus = (uint8_t)bus;
	o->dev = (uint8_t)dev;
	o->fn = (uint8_t)fn;
	return true;
}

static bool is(const char *word, size_t len, const char *name)
{
	return len == strlen(name) && strncmp(word, name, len) == 0;
}

static bool begins(const char *word, const char *name)
{
	return strncmp(word, name, strlen(name)) == 0;
}

static int refuse(const char *word, size_t len, const char *why)
{
	log_err("passthru: option \"%.*s\" %s", (int)len, word, why);
	return -EINVAL;
}

static int parse_romfile(const char *path, size_t len, struct passthru_opts *o)
{
	if (len == 0 || len >= sizeof(o->rom))
		return refuse(path, len, "of romfile= is no path, or one of more than 255 bytes");
	memcpy(o->rom, path, len);
	o->rom[len] = 0;
	return 0;
}

static int parse_word(const char *word, size_t len, struct passthru_opts *o)
{
	const char *p = word + 4;
	unsigned long n;

	if (is(word, len, "keep_gsi"))
		o->keep_gsi = true;
	else if (is(word, len, "no_reset"))
		o->no_reset = true;
	else if (is(word, len, "d3hot_reset"))
		o->d3hot_reset = true;
	else if (is(word, len, "gpu"))
		log_notice("passthru: gpu is obsolete and ignored");
	else if (begins(word, "irq=") && number(&p, 0, 255, &n) && p == word + len)
		o->irq = (int)n;
	else if (begins(word, ROMFILE))
		return parse_romfile(word + strlen(ROMFILE), len - strlen(ROMFILE), o);
	else if (is(word, len, "enable_ptm") || begins(word, "dsdt=") ||
		 begins(word, "vmsix_on_msi"))
		return refuse(word, len, "is not built yet; the VM is not started");
	else
		return refuse(word, len, "is unknown or has a bad value");
	return 0;
}

int passthru_parse(const char *text, struct passthru_opts *o)
{
	const char *p = text;
	int err = 0;

	*o = (struct passthru_opts){ .irq = -1 };
	if (!parse_address(&p, o)) {
		log_err("passthru: \"%s\" does not begin with bus/device/function, such as 00/1f/3", text);
		return -EINVAL;
	}
	while (*p == ',' && !err) {
		size_t len = strcspn(++p, ",");

		err = parse_word(p, len, o);
		p += len;
	}
	return err;
}
