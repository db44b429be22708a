/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * A 16550 driven directly, since many firmwares have no serial console. It is silent when there is
 * no such chip.
 */
#pragma once

#include "config/scenario.h"

/* From here on text goes to this one (or nowhere, when it is not enabled). */
void uart_start(const struct scenario_serial *serial);

void uart_write(const char *text);
