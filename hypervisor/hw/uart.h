/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One 16550 as console, polled. A port that is absent or stuck costs a bounded wait and is then
 * given up, never the boot.
 */
#pragma once

#include "lib/types.h"

/* By I/O port, 8N1. False when nothing answers there. baud 0: leave the rate as it is. */
bool uart_init_port(uint16_t port, uint32_t baud);

/* By MMIO, registers 4 bytes apart, base in the direct map already mapped. */
bool uart_init_mmio(volatile void *base, uint32_t baud);

void uart_disable(void);
bool uart_is_enabled(void);

/* The port in use, 0 when none or MMIO: what must not be given to a guest. */
uint16_t uart_port(void);

/* Newline becomes CR LF. The caller serialises. */
void uart_write(const char *text, size_t len);

/* Waits until the last character has left the machine. */
void uart_drain(void);

/* A received character, or -1. */
int uart_read(void);
