/* SPDX-License-Identifier: BSD-3-Clause */
/* Sending inter-processor interrupts: the interrupt command register and self-IPI. */
#pragma once

#include "vdev/vlapic.h"

/* Sends what a complete ICR says; the destination is in 63:32 (x2APIC) or 63:56 (xAPIC). */
void vlapic_icr_send(struct vlapic *v, uint64_t icr);

/* The x2APIC self-IPI register, and the ICR's shorthand "self". */
void vlapic_icr_send_self(struct vlapic *v, uint8_t vector);
