/* SPDX-License-Identifier: BSD-3-Clause */
/* Asks a running acrn-dm over its manager socket. */
#pragma once

#include "ctl/message.h"

/*
 * Sends the question (id and data filled in) to the socket at `path` and waits at most `seconds` for the answer, which
 * replaces it. 0 or -errno: -ETIMEDOUT, -EPROTO for an answer that is none, or as connect(2).
 */
int client_ask(const char *path, struct mngr_message *m, unsigned int seconds);
