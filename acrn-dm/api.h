/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * --api-socket: JSON objects, one a line, of the schema that the manual gives. Requests are answered in their order on
 * the loop thread; events go to every client that asked for them.
 */
#pragma once

#include <stdbool.h>

#define API_VERSION	1

/* Opens the socket, if there is to be one. Returns 0 or -errno, logged. */
int api_init(void);
void api_exit(void);
/* Tells of something that happened. device: "3:0" or NULL. Any thread; what it says is sent a little later. */
void api_event(const char *name, const char *device);
