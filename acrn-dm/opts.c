/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of options. Each row says what becomes of the option; only the rows with a handler act. The values
 * of -s and -l are taken apart in opts_slot.c.
 */
#include "opts.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"

#define VIRTIO_POLL_MAX	10000000

int opts_error(const char *fmt, ...)
{
	va_list ap;

	fputs("acrn-dm: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return -EINVAL;
}

void opts_warn(const char *fmt, ...)
{
	va_list ap;

	fputs("acrn-dm: warning: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static int set_memory(const char *arg, struct dm_config *cfg)
{
	return opts_parse_memory(arg, &cfg->memory);
}

static int set_kernel(const char *arg, struct dm_config *cfg)
{
	cfg->kernel = arg;
	return 0;
}

static int set_initrd(const char *arg, struct dm_config *cfg)
{
	cfg->initrd = arg;
	return 0;
}

static int set_elf(const char *arg, struct dm_config *cfg)
{
	cfg->elf = arg;
	return 0;
}

static int set_bootargs(const char *arg, struct dm_config *cfg)
{
	if (strlen(arg) >= 2048)
		return opts_error("-B: the kernel command line is longer than 2047 bytes");
	cfg->bootargs = arg;
	return 0;
}

static int set_debugexit(const char *arg, struct dm_config *cfg)
{
	(void)arg;
	cfg->debugexit = true;
	return 0;
}

static int set_virtio_poll(const char *arg, struct dm_config *cfg)
{
	char *end;
	unsigned long ns = strtoul(arg, &end, 10);

	if (*arg < '0' || *arg > '9' || *end || ns == 0 || ns > VIRTIO_POLL_MAX)
		return opts_error("--virtio_poll: \"%s\" is not a number of nanoseconds from 1 to %d", arg,
				  VIRTIO_POLL_MAX);
	cfg->virtio_poll_ns = ns;
	return 0;
}

static int set_virtio_msi(const char *arg, struct dm_config *cfg)
{
	(void)arg;
	cfg->virtio_msi = true;
	return 0;
}

static int set_windows(const char *arg, struct dm_config *cfg)
{
	(void)arg;
	cfg->windows = true;
	return 0;
}

static int set_cmd_monitor(const char *arg, struct dm_config *cfg)
{
	cfg->cmd_monitor = arg;
	return 0;
}

static int set_hugetlb(const char *arg, struct dm_config *cfg)
{
	(void)arg;
	cfg->hugetlb = true;
	return 0;
}

static int set_api_socket(const char *arg, struct dm_config *cfg)
{
	cfg->api_socket = arg;
	return 0;
}

static int set_logger(const char *arg, struct dm_config *cfg)
{
	cfg->logger = arg;
	return 0;
}

static int set_pm_channel(const char *arg, struct dm_config *cfg)
{
	(void)cfg;
	if (strcmp(arg, "power_button") != 0)
		return opts_error("--pm_notify_channel: \"%s\" is not built yet; power_button is the default", arg);
	opts_warn("--pm_notify_channel is deprecated; the power button is used anyway");
	return 0;
}

static int set_lapic_pt(const char *arg, struct dm_config *cfg)
{
	(void)arg;
	cfg->lapic_pt = true;
	return 0;
}

static int set_rtvm(const char *arg, struct dm_config *cfg)
{
	(void)arg;
	cfg->rtvm = true;
	return 0;
}

static int set_config(const char *arg, struct dm_config *cfg);

enum fate { ACT, OBSOLETE, NOT_BUILT, HELP, VERSION };

struct option_row {
	char letter;		/* 0: long only */
	const char *name;	/* NULL: letter only */
	bool has_arg;
	enum fate fate;
	int status;		/* to exit with on a bad value */
	int (*handle)(const char *arg, struct dm_config *cfg);
};

static const struct option_row rows[] = {
	{ 'h', "help", false, HELP, 0, NULL },
	{ 'v', "version", false, VERSION, 0, NULL },
	{ 'm', "memsize", true, ACT, OPTS_EXIT_USAGE, set_memory },
	{ 's', "pci_slot", true, ACT, 1, opts_parse_slot },
	{ 'l', "lpc", true, ACT, OPTS_EXIT_USAGE, opts_parse_lpc },
	{ 'k', "kernel", true, ACT, 1, set_kernel },
	{ 'r', "ramdisk", true, ACT, 1, set_initrd },
	{ 'B', "bootargs", true, ACT, 1, set_bootargs },
	{ 'E', "elf_file", true, ACT, 1, set_elf },
	{ 0, "ovmf", true, ACT, 1, opts_parse_ovmf },
	{ 0, "machine", true, ACT, OPTS_EXIT_USAGE, opts_parse_machine },
	{ 0, "uuid", true, ACT, OPTS_EXIT_USAGE, opts_parse_uuid },
	{ 0, "config", true, ACT, 1, set_config },
	{ 0, "cpu_affinity", true, ACT, OPTS_EXIT_USAGE, opts_parse_affinity },
	{ 0, "mmiodev_pt", true, ACT, OPTS_EXIT_USAGE, opts_parse_mmiodev },
	{ 0, "debugexit", false, ACT, 1, set_debugexit },
	{ 0, "virtio_msi", false, ACT, 1, set_virtio_msi },
	{ 0, "windows", false, ACT, 1, set_windows },
	{ 0, "hugetlb", false, ACT, OPTS_EXIT_USAGE, set_hugetlb },
	{ 0, "api-socket", true, ACT, OPTS_EXIT_USAGE, set_api_socket },
	{ 0, "cmd_monitor", true, ACT, 1, set_cmd_monitor },
	{ 0, "logger_setting", true, ACT, 1, set_logger },
	{ 0, "pm_notify_channel", true, ACT, 1, set_pm_channel },
	{ 0, "lapic_pt", false, ACT, 1, set_lapic_pt },
	{ 0, "rtvm", false, ACT, 1, set_rtvm },
	{ 'A', "acpi", false, OBSOLETE, 0, NULL },
	{ 'Y', "mptgen", false, OBSOLETE, 0, NULL },
	{ 'i', "ioc_node", true, OBSOLETE, 0, NULL },
	{ 'G', "gvtargs", true, OBSOLETE, 0, NULL },
	{ 'U', NULL, true, OBSOLETE, 0, NULL },
	{ 0, "mac_seed", true, OBSOLETE, 0, NULL },
	{ 0, "part_info", true, OBSOLETE, 0, NULL },
	{ 0, "vsbl", true, OBSOLETE, 0, NULL },
	{ 0, "iasl", true, OBSOLETE, 0, NULL },
	{ 0, "enable_trusty", false, NOT_BUILT, 1, NULL },
	{ 0, "intr_monitor", true, NOT_BUILT, 1, NULL },
	{ 0, "acpidev_pt", true, NOT_BUILT, 1, NULL },
	{ 0, "vtpm2", true, NOT_BUILT, 1, NULL },
	{ 0, "virtio_poll", true, ACT, OPTS_EXIT_USAGE, set_virtio_poll },
	{ 0, "ssram", true, NOT_BUILT, 1, NULL },
	{ 0, "pm_by_vuart", true, NOT_BUILT, 1, NULL },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* getopt_long's own tables: long options answer with 256 + row. */
static void make_getopt_tables(char *letters, struct option *longs)
{
	unsigned int n = 0;

	*letters++ = '-';	/* '-': the VM name may stand anywhere, in order */
	for (unsigned int i = 0; i < ROWS; i++) {
		if (rows[i].letter) {
			*letters++ = rows[i].letter;
			if (rows[i].has_arg)
				*letters++ = ':';
		}
		if (rows[i].name)
			longs[n++] = (struct option){ rows[i].name, rows[i].has_arg, NULL, 256 + (int)i };
	}
	*letters = 0;
	longs[n] = (struct option){ 0 };
}

static const struct option_row *find_row(int code)
{
	if (code >= 256)
		return &rows[code - 256];
	for (unsigned int i = 0; i < ROWS; i++) {
		if (rows[i].letter == code)
			return &rows[i];
	}
	return NULL;
}

static const char *row_text(const struct option_row *row, char buf[4])
{
	if (row->name)
		return row->name;
	buf[0] = row->letter;
	buf[1] = 0;
	return buf;
}

static int act(const struct option_row *row, const char *arg, const char *prog, struct dm_config *cfg)
{
	char buf[4];
	int err;

	switch (row->fate) {
	case HELP:
		opts_print_help(prog);
		return 0;
	case VERSION:
		printf("DM: acrn-dm version %s\n", DM_VERSION);
		return 0;
	case OBSOLETE:
		opts_warn("option %s is obsolete and ignored", row_text(row, buf));
		return OPTS_RUN;
	case NOT_BUILT:
		opts_error("option %s is not built yet; the VM is not started", row_text(row, buf));
		return row->status;
	case ACT:
		break;
	}
	err = row->handle(arg, cfg);
	return err == 0 ? OPTS_RUN : err == OPTS_ANSWERED ? 0 : row->status;
}

static int set_name(const char *arg, struct dm_config *cfg)
{
	if (cfg->vm_name)
		return opts_error("two VM names: \"%s\" and \"%s\"", cfg->vm_name, arg);
	if (!*arg || strlen(arg) > CONFIG_NAME_MAX)
		return opts_error("the VM name \"%s\" must have 1 to %d characters", arg, CONFIG_NAME_MAX);
	for (const char *p = arg; *p; p++) {
		if (*p <= ' ' || *p == '/' || *p == 0x7f)
			return opts_error("the VM name \"%s\" holds a blank, a slash or a control character", arg);
	}
	cfg->vm_name = arg;
	return 0;
}

static int check_rtvm(const struct dm_config *cfg)
{
	if (!cfg->rtvm && cfg->lapic_pt)
		opts_warn("--lapic_pt is ignored without --rtvm");
	if (cfg->rtvm && cfg->lapic_pt)
		return opts_error("option lapic_pt is not built yet; the VM is not started");
	if (cfg->rtvm && cfg->cpu_apicid_count == 0)
		return opts_error("--rtvm: a real-time VM has its CPUs alone; name them with --cpu_affinity");
	return 0;
}

static int check(const char *prog, struct dm_config *cfg)
{
	if (!cfg->vm_name) {
		opts_error("the VM name is missing");
		opts_print_help(prog);
		return 1;
	}
	if (!cfg->kernel && !cfg->elf && !cfg->ovmf_code) {
		opts_error("nothing to boot: give a kernel with -k or -E, or firmware with --ovmf");
		return 1;
	}
	if (check_rtvm(cfg) != 0)
		return 1;
	return opts_settle_machine(cfg) == 0 && opts_add_defaults(cfg) == 0 ? OPTS_RUN : 1;
}

static const struct option_row *find_name(const char *name)
{
	for (unsigned int i = 0; i < ROWS; i++) {
		if (rows[i].name && strcmp(rows[i].name, name) == 0)
			return &rows[i];
	}
	return NULL;
}

/* One line of --config, taken apart: value NULL if there is no "=". */
static int config_line(const char *key, const char *value, struct dm_config *cfg)
{
	const struct option_row *row = find_name(key);

	if (strcmp(key, "name") == 0 && value)
		return set_name(value, cfg);
	if (!row || row->fate == HELP || row->fate == VERSION || row->handle == set_config)
		return opts_error("there is no option \"%s\" for a configuration file", key);
	if (row->has_arg != (value != NULL))
		return opts_error(row->has_arg ? "%s needs a value" : "%s takes no value", key);
	return act(row, value, "acrn-dm", cfg) == OPTS_RUN ? 0 : -EINVAL;
}

static int set_config(const char *arg, struct dm_config *cfg)
{
	return opts_read_config(arg, cfg, config_line);
}

int opts_parse(int argc, char **argv, struct dm_config *cfg)
{
	struct option longs[ROWS + 1];
	char letters[2 * ROWS + 2];
	int code, status;

	make_getopt_tables(letters, longs);
	optind = 0;
	while ((code = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (code == 1) {
			if (set_name(optarg, cfg) != 0)
				return 1;
			continue;
		}
		const struct option_row *row = code == '?' ? NULL : find_row(code);

		if (!row) {
			opts_print_help(argv[0]);
			return 1;
		}
		status = act(row, optarg, argv[0], cfg);
		if (status != OPTS_RUN)
			return status;
	}
	for (; optind < argc; optind++) {
		if (set_name(argv[optind], cfg) != 0)
			return 1;
	}
	return check(argv[0], cfg);
}
