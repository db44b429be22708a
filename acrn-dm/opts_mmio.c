/* SPDX-License-Identifier: BSD-3-Clause */
/* The value of --mmiodev_pt: BASE,LENGTH in hexadecimal, whole pages. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "config.h"
#include "mmio_pt.h"
#include "opts.h"

#define PAGE	4096ull

static bool hex(const char **p, uint64_t *value)
{
	char *end;

	if (!isxdigit((unsigned char)**p))
		return false;
	errno = 0;
	*value = strtoull(*p, &end, 16);
	*p = end;
	return errno == 0;
}

int opts_parse_mmiodev(const char *text, struct dm_config *cfg)
{
	const char *p = text;
	struct config_mmio m = { 0 };
	uint64_t all = 0;

	if (!hex(&p, &m.base) || *p++ != ',' || !hex(&p, &m.size) || *p)
		return opts_error("--mmiodev_pt: \"%s\" is not BASE,LENGTH in hexadecimal", text);
	if (m.base % PAGE || m.size % PAGE || m.size == 0 || m.base + m.size < m.base)
		return opts_error("--mmiodev_pt: \"%s\" is not a range of whole pages (of 0x1000)", text);
	if (cfg->mmio_count == CONFIG_MMIO_MAX)
		return opts_error("--mmiodev_pt: \"%s\" is one too many: a VM has at most %d", text, CONFIG_MMIO_MAX);
	for (unsigned int i = 0; i < cfg->mmio_count; i++)
		all += cfg->mmio[i].size;
	if (m.size > MMIO_PT_END - MMIO_PT_BASE - all)
		return opts_error("--mmiodev_pt: \"%s\" is more than the guest has room for, %llu MiB", text,
				  (MMIO_PT_END - MMIO_PT_BASE) >> 20);
	cfg->mmio[cfg->mmio_count++] = m;
	return 0;
}
