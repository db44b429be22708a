/* SPDX-License-Identifier: BSD-3-Clause */
/* Devices: I/O ports, and memory-mapped registers in accesses of exactly the width named. */
#pragma once

#include "lib/types.h"

/* in8() ... out32() */
#define IO_PORT(type, suffix, width)                                                              \
	static inline type in##width(uint16_t port)                                                \
	{                                                                                          \
		type v;                                                                            \
												   \
		asm volatile("in" suffix " %w1, %0" : "=a"(v) : "Nd"(port) : "memory");            \
		return v;                                                                          \
	}                                                                                          \
												   \
	static inline void out##width(uint16_t port, type v)                                       \
	{                                                                                          \
		asm volatile("out" suffix " %0, %w1" ::"a"(v), "Nd"(port) : "memory");             \
	}

IO_PORT(uint8_t, "b", 8)
IO_PORT(uint16_t, "w", 16)
IO_PORT(uint32_t, "l", 32)
#undef IO_PORT

/* One access of exactly the width named, which a plain dereference does not promise. */
#define IO_MEMORY(type, suffix, width)                                                              \
	static inline type mmio_read##width(const volatile void *p)                                \
	{                                                                                          \
		type v;                                                                            \
												   \
		asm volatile("mov" suffix " %1, %0" : "=r"(v) : "m"(*(const volatile type *)p));   \
		return v;                                                                          \
	}                                                                                          \
												   \
	static inline void mmio_write##width(volatile void *p, type v)                             \
	{                                                                                          \
		asm volatile("mov" suffix " %1, %0" : "=m"(*(volatile type *)p) : "r"(v));         \
	}

IO_MEMORY(uint8_t, "b", 8)
IO_MEMORY(uint16_t, "w", 16)
IO_MEMORY(uint32_t, "l", 32)
IO_MEMORY(uint64_t, "q", 64)
#undef IO_MEMORY
