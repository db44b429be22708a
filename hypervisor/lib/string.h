/* SPDX-License-Identifier: BSD-3-Clause */
/* The string functions that a freestanding compiler may call, and the few that we call. */
#pragma once

#include "lib/types.h"

void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);

/* Copies at most size - 1 bytes and ends with NUL; false when src did not fit. */
bool str_copy(char *dst, const char *src, size_t size);
