/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The values of -m, -s, -l and --cpu_affinity, and the devices that every VM has. Only text is looked at here:
 * whether a driver exists is known to dev/device.c.
 */
#include "opts.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config.h"
#include "dev/device.h"
#include "dev/q35.h"

#define MIN_MEMORY	(128ull << 20)
#define MAX_MEMORY	(1ull << 38)	/* where the window of 64-bit BARs begins */
#define MEMORY_GRAIN	(2ull << 20)

int opts_parse_memory(const char *text, uint64_t *bytes)
{
	char *end;
	uint64_t n;
	int shift = 20;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || end == text || !isdigit((unsigned char)*text))
		return opts_error("-m: \"%s\" is not a size such as 512M", text);
	switch (tolower((unsigned char)*end)) {
	case 'k':
		shift = 10;
		break;
	case 'g':
		shift = 30;
		break;
	case 'm':
	case 0:
		break;
	default:
		return opts_error("-m: \"%s\" ends in an unknown unit; K, M and G are known", text);
	}
	if (*end && end[1])
		return opts_error("-m: \"%s\" is not a size such as 512M", text);
	if (n > MAX_MEMORY >> shift)
		return opts_error("-m: \"%s\" is more than %llu GiB", text, MAX_MEMORY >> 30);
	n <<= shift;
	if (n < MIN_MEMORY)
		return opts_error("-m: \"%s\" is less than 128M", text);
	if (n % MEMORY_GRAIN)
		return opts_error("-m: \"%s\" is not a multiple of 2M", text);
	*bytes = n;
	return 0;
}

/* One decimal number; *p moves behind it. */
static int number(const char **p, unsigned int limit, unsigned int *value)
{
	unsigned int n = 0;

	if (!isdigit((unsigned char)**p))
		return -EINVAL;
	while (isdigit((unsigned char)**p)) {
		n = n * 10 + (unsigned int)(*(*p)++ - '0');
		if (n > limit)
			return -EINVAL;
	}
	*value = n;
	return 0;
}

/* "[bus:]slot[:func]" up to the comma. */
static int parse_address(const char **p, struct config_slot *s)
{
	unsigned int part[3], n = 0;

	do {
		if (n == 3 || number(p, 255, &part[n]) != 0)
			return -EINVAL;
		n++;
	} while ((**p == ':' || **p == '/' || **p == '.') && (*p)++);

	s->bus = n == 3 ? part[0] : 0;
	s->dev = n == 3 ? part[1] : part[0];
	s->fn = n == 3 ? part[2] : n == 2 ? part[1] : 0;
	if (**p != ',' || s->dev > 31 || s->fn > 7)
		return -EINVAL;
	(*p)++;
	return 0;
}

static bool is_obsolete_driver(const char *name)
{
	static const char *const names[] = { "pci-gvt", "virtio-hdcp", "npk", "virtio-coreu" };

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

static const struct config_slot *find_slot(const struct dm_config *cfg, unsigned int bus, unsigned int dev,
					   int fn)
{
	for (unsigned int i = 0; i < cfg->slot_count; i++) {
		const struct config_slot *s = &cfg->slot[i];

		if (s->bus == bus && s->dev == dev && (fn < 0 || s->fn == (unsigned int)fn))
			return s;
	}
	return NULL;
}

/* Takes the text behind the address: "driver[,b][,options]". */
static int add_slot(struct config_slot *s, const char *rest, struct dm_config *cfg)
{
	char *text, *comma;

	if (cfg->slot_count == CONFIG_SLOTS_MAX)
		return opts_error("-s: more than %d functions", CONFIG_SLOTS_MAX);
	text = strdup(rest);
	if (!text)
		return -ENOMEM;
	s->driver = text;
	s->opts = text + strlen(text);
	comma = strchr(text, ',');
	if (comma) {
		*comma = 0;
		s->opts = comma + 1;
	}
	s->boot = strcmp(s->opts, "b") == 0 || strncmp(s->opts, "b,", 2) == 0;
	if (s->boot)
		s->opts += s->opts[1] ? 2 : 1;
	cfg->slot[cfg->slot_count++] = *s;
	return 0;
}

/* "help", and "DRIVER,help". */
static bool answers_help(const char *text)
{
	const char *comma = strchr(text, ',');
	char driver[32];

	if (strcmp(text, "help") == 0) {
		device_print_help();
		return true;
	}
	if (!comma || strcmp(comma, ",help") != 0 || isdigit((unsigned char)*text))
		return false;
	snprintf(driver, sizeof(driver), "%.*s", (int)(comma - text), text);
	return device_print_one(driver);
}

int opts_parse_slot(const char *text, struct dm_config *cfg)
{
	struct config_slot s = { 0 };
	const char *p = text;
	char driver[32];

	if (answers_help(text))
		return OPTS_ANSWERED;
	if (parse_address(&p, &s) != 0 || !*p || *p == ',')
		return opts_error("-s: \"%s\" is not [bus:]slot[:func],driver[,options]", text);
	snprintf(driver, sizeof(driver), "%.*s", (int)strcspn(p, ","), p);
	if (is_obsolete_driver(driver)) {
		opts_warn("-s: the driver %s is obsolete and ignored", driver);
		return 0;
	}
	if (s.bus != 0)
		return opts_error("-s: \"%s\": only bus 0 is there", text);
	if (find_slot(cfg, s.bus, s.dev, (int)s.fn))
		return opts_error("-s: \"%s\": slot %u function %u is taken", text, s.dev, s.fn);
	return add_slot(&s, p, cfg);
}

static const struct config_uart uart_defaults[CONFIG_UARTS] = {
	{ false, 0x3f8, 4, NULL }, { false, 0x2f8, 3, NULL }, { false, 0x3e8, 6, NULL },
	{ false, 0x2e8, 7, NULL }, { false, 0x9000, 10, NULL },
};

/* COM5's ",port,irq" at the end of the backend text; cuts it off. */
static int parse_com5(char *backend, struct config_uart *u)
{
	char *irq_text, *port_text, *end;
	unsigned long port, irq;

	irq_text = strrchr(backend, ',');
	if (!irq_text)
		return 0;
	*irq_text++ = 0;
	port_text = strrchr(backend, ',');
	if (!port_text)
		return -EINVAL;
	*port_text++ = 0;
	port = strtoul(port_text, &end, 0);
	if (*end || end == port_text || port < 0x100 || port > 0xfff8)
		return -EINVAL;
	irq = strtoul(irq_text, &end, 0);
	if (*end || end == irq_text || irq < 1 || irq > 15)
		return -EINVAL;
	u->port = (uint16_t)port;
	u->irq = (uint8_t)irq;
	return 0;
}

int opts_parse_lpc(const char *text, struct dm_config *cfg)
{
	struct config_uart u;
	unsigned int n;
	char *backend;

	if (strncasecmp(text, "com", 3) != 0 || text[3] < '1' || text[3] > '5' || text[4] != ',' || !text[5])
		return opts_error("-l: \"%s\" is not com1..com5,backend", text);
	n = (unsigned int)(text[3] - '1');
	if (cfg->uart[n].used)
		return opts_error("-l: com%u is given twice", n + 1);
	backend = strdup(text + 5);
	if (!backend)
		return -ENOMEM;
	u = uart_defaults[n];
	if (n == 4 && parse_com5(backend, &u) != 0) {
		free(backend);
		return opts_error("-l: \"%s\" is not com5,backend,port,irq", text);
	}
	u.used = true;
	u.backend = backend;
	cfg->uart[n] = u;
	return 0;
}

int opts_parse_affinity(const char *text, struct dm_config *cfg)
{
	const char *p = text;
	unsigned int id;

	cfg->cpu_apicid_count = 0;
	do {
		if (number(&p, 0xffffff, &id) != 0)
			return opts_error("--cpu_affinity: \"%s\" is not a list of APIC ids such as 1,3", text);
		if (cfg->cpu_apicid_count == sizeof(cfg->cpu_apicids) / sizeof(cfg->cpu_apicids[0]))
			return opts_error("--cpu_affinity: more than 64 CPUs");
		for (unsigned int i = 0; i < cfg->cpu_apicid_count; i++) {
			if (cfg->cpu_apicids[i] == id)
				return opts_error("--cpu_affinity: \"%s\" names %u twice", text, id);
		}
		cfg->cpu_apicids[cfg->cpu_apicid_count++] = id;
	} while (*p == ',' && p++);
	if (*p)
		return opts_error("--cpu_affinity: \"%s\" is not a list of APIC ids such as 1,3", text);
	return 0;
}

static bool has_driver(const struct dm_config *cfg, const char *name)
{
	for (unsigned int i = 0; i < cfg->slot_count; i++) {
		if (strcmp(cfg->slot[i].driver, name) == 0)
			return true;
	}
	return false;
}

/* Firmware for q35 looks for the ISA bridge in one place only, whatever slot a command line for machine acrn gave. */
static int place_q35_lpc(struct dm_config *cfg)
{
	const struct config_slot *there = find_slot(cfg, 0, Q35_LPC_SLOT, -1);
	struct config_slot s = { .dev = Q35_LPC_SLOT };

	if (there && strcmp(there->driver, "lpc") != 0)
		return opts_error("slot %u must hold the lpc bridge in machine q35", Q35_LPC_SLOT);
	for (unsigned int i = 0; i < cfg->slot_count; i++) {
		if (strcmp(cfg->slot[i].driver, "lpc") != 0)
			continue;
		cfg->slot[i].dev = Q35_LPC_SLOT;
		cfg->slot[i].fn = 0;
		return 0;
	}
	return add_slot(&s, "lpc", cfg);
}

/* Whether a serial port or a device sits on the terminal, or serial ports were chosen by hand. */
static bool wants_no_console(const struct dm_config *cfg)
{
	for (unsigned int i = 0; i < CONFIG_UARTS; i++) {
		if (cfg->uart[i].used)
			return true;
	}
	for (unsigned int i = 0; i < cfg->slot_count; i++) {
		if (strstr(cfg->slot[i].opts, "stdio"))
			return true;
	}
	return false;
}

int opts_add_defaults(struct dm_config *cfg)
{
	struct config_slot s = { 0 };

	if (!has_driver(cfg, "hostbridge") && !has_driver(cfg, "amd_hostbridge")) {
		if (find_slot(cfg, 0, 0, -1))
			return opts_error("slot 0 must hold the host bridge");
		if (add_slot(&s, "hostbridge", cfg) != 0)
			return -ENOMEM;
	}
	if (cfg->machine == MACHINE_Q35 && place_q35_lpc(cfg) != 0)
		return -EINVAL;
	if (!has_driver(cfg, "lpc")) {
		for (s.dev = 1; s.dev < 32 && find_slot(cfg, 0, s.dev, -1); s.dev++)
			;
		if (s.dev == 32)
			return opts_error("no slot is free for the lpc bridge");
		if (add_slot(&s, "lpc", cfg) != 0)
			return -ENOMEM;
	}
	return wants_no_console(cfg) ? 0 : opts_parse_lpc("com1,stdio", cfg);
}

void opts_free(struct dm_config *cfg)
{
	for (unsigned int i = 0; i < cfg->slot_count; i++)
		free((char *)cfg->slot[i].driver);
	for (unsigned int i = 0; i < CONFIG_UARTS; i++)
		free((char *)cfg->uart[i].backend);
	free(cfg->ovmf_text);
	free(cfg->file_text);
	memset(cfg, 0, sizeof(*cfg));
}
