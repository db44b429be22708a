/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * acrnctl: lists, starts and stops User VMs. Exit status 0, 1 when something could not be done, 2 for wrong words.
 * Under the name acrn-dm it only takes down the name of a VM: see add.c.
 */
#include <stdio.h>
#include <string.h>

#include "ctl/add.h"
#include "ctl/command.h"

extern const struct ctl_command *const __start_ctl_table[], *const __stop_ctl_table[];

static void print_help(FILE *to)
{
	fprintf(to, "acrnctl COMMAND\n");
	for (const struct ctl_command *const *c = __start_ctl_table; c < __stop_ctl_table; c++) {
		if ((*c)->help)
			fprintf(to, "  %-10s %-18s %s\n", (*c)->name, (*c)->words, (*c)->help);
	}
	fprintf(to, "  --help, --version\n");
}

/* The commands of the manual page, which the Makefile puts together. */
static void print_manual(void)
{
	for (const struct ctl_command *const *c = __start_ctl_table; c < __stop_ctl_table; c++) {
		if ((*c)->help)
			printf(".TP\n.BI \"%s \" \"%s\"\n%s\n", (*c)->name, (*c)->words,
			       (*c)->manual ? (*c)->manual : (*c)->help);
	}
}

static const struct ctl_command *find_command(const char *name)
{
	for (const struct ctl_command *const *c = __start_ctl_table; c < __stop_ctl_table; c++) {
		if (strcmp((*c)->name, name) == 0)
			return *c;
	}
	return NULL;
}

static int run(const struct ctl_command *c, int argc, char **argv)
{
	if (argc < c->least || argc > c->most) {
		fprintf(stderr, "acrnctl: usage: acrnctl %s %s\n", c->name, c->words);
		return 2;
	}
	return c->run(argc, argv);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	const char *program = strrchr(argv[0], '/');
	const struct ctl_command *c = find_command(name);

	if (strcmp(program ? program + 1 : argv[0], "acrn-dm") == 0)
		return add_take_name(argc, argv);
	if (c)
		return run(c, argc - 2, argv + 2);
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
		print_help(stdout);
		return 0;
	}
	if (strcmp(name, "--version") == 0) {
		printf("acrnctl %s\n", DM_VERSION);
		return 0;
	}
	if (strcmp(name, "--manual") == 0) {
		print_manual();
		return 0;
	}
	if (*name)
		fprintf(stderr, "acrnctl: there is no command \"%s\"\n", name);
	print_help(stderr);
	return 2;
}
