/* SPDX-License-Identifier: BSD-3-Clause */
/* Text work on launch scripts. */
#pragma once

#include <stddef.h>

/* A file as text, to be freed; NULL with errno (EFBIG: more than most bytes, or a NUL in it). */
char *script_read(const char *path, size_t most);
/*
 * A copy of the script, to be freed, in which each word that is acrn-dm, with any path before it, is `program`. NULL:
 * no memory. A word ends at white space, a quotation mark or an operator of the shell.
 */
char *script_redirect(const char *text, const char *program);
/* Words joined by line breaks, to be freed; NULL if one holds a line break, or without memory. */
char *script_join(char **words, int count);
/* Cuts such text into its words; most+1 places, the last used is NULL. How many, or -1: too many. */
int script_split(char *text, char **words, int most);
