/* SPDX-License-Identifier: BSD-3-Clause */
/* A physical CPU's endless loop: pick a vCPU, run it, handle its exits, or sleep. */
#pragma once

#include "vm/vm.h"

/* Prepares this CPU to run vCPUs; each CPU once. */
void run_init_cpu(void);

/* Never returns. */
_Noreturn void run_cpu(void);

/* NMIs that this CPU took are the Service VM's, as the board's pins are: its vCPU here gets one. */
void run_pass_nmis(void);
