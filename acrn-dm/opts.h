/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command line. Everything that the original accepts is accepted; what is obsolete is ignored with one
 * warning, and what is not built here is refused with one line, never silently dropped.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct dm_config;

#define OPTS_RUN	(-1)	/* go on */
#define OPTS_EXIT_USAGE	64	/* a bad value of an option */
#define OPTS_ANSWERED	1	/* of a part: a question was answered, exit with 0 */

/*
 * Fills in *cfg, defaults included (host bridge, lpc, com1 on stdio). Returns OPTS_RUN, or the status to exit
 * with after -h, -v or an error that was printed.
 */
int opts_parse(int argc, char **argv, struct dm_config *cfg);
/* Frees what opts_parse() allocated. */
void opts_free(struct dm_config *cfg);

void opts_print_help(const char *prog);

/* The parts, each 0 or -EINVAL (printed). */
int opts_parse_memory(const char *text, uint64_t *bytes);	/* 512M, 2G, 1048576k; a bare number is MiB */
int opts_parse_slot(const char *text, struct dm_config *cfg);	/* [bus:]slot[:func],driver[,options] */
int opts_parse_lpc(const char *text, struct dm_config *cfg);	/* com1,stdio   COM5,/dev/ttyS4,0x9000,10 */
int opts_parse_affinity(const char *text, struct dm_config *cfg);	/* 1,3 */
int opts_parse_ovmf(const char *text, struct dm_config *cfg);	/* [w,]IMAGE   [w,]code=FILE,vars=FILE */
int opts_parse_machine(const char *text, struct dm_config *cfg);	/* acrn or q35 */
int opts_parse_uuid(const char *text, struct dm_config *cfg);
int opts_parse_mmiodev(const char *text, struct dm_config *cfg);	/* fed40000,5000 */
/* A file of lines "option = value" or "option"; '#' begins a comment. Calls line for each, keeps the text in *cfg. */
int opts_read_config(const char *path, struct dm_config *cfg,
		     int (*line)(const char *key, const char *value, struct dm_config *cfg));
/* What follows from options together: machine type, identity, places of the bridges. */
int opts_settle_machine(struct dm_config *cfg);
/* Adds the devices that every VM has, where the user named none. */
int opts_add_defaults(struct dm_config *cfg);

/* Prints "acrn-dm: …" on stderr; returns -EINVAL. */
int opts_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void opts_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
