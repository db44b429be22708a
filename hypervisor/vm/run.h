/* SPDX-License-Identifier: BSD-3-Clause */
/* A physical CPU's endless loop: pick a vCPU, run it, handle its exits, or sleep. */
#pragma once

#include "vm/vm.h"

/* Prepares this CPU to run vCPUs; each CPU once. */
void run_init_cpu(void);

/* Never returns. */
_Noreturn void run_cpu(void);
