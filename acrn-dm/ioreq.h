/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The threads that carry out the guest's I/O requests: as many as vCPUs where the HSM allows it, so that one
 * vCPU does not wait for another's device work.
 */
#pragma once

#include <stdint.h>

/* Registers with the HSM and starts the threads. Returns 0 or -errno. */
int ioreq_start(void);
/* The VM is paused: takes back the client, waits for the threads. Harmless when not started. */
void ioreq_stop(void);
