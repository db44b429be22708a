/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Scalars with meaning. An address says in its type whose it is: hpa_t is host-physical, gpa_t is
 * guest-physical, gva_t is guest-virtual (linear, unless the name says logical).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t hpa_t;
typedef uint64_t gpa_t;
typedef uint64_t gva_t;

#define HPA_INVALID (~(hpa_t)0)
#define GPA_INVALID (~(gpa_t)0)

#define PAGE_SHIFT 12U
#define PAGE_SIZE 4096UL
#define PAGE_MASK (~(PAGE_SIZE - 1UL))
#define SIZE_2M (2UL << 20)
#define SIZE_1G (1UL << 30)
