/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The listening end of the manager protocol (message.h), for acrn-dm and acrnd. A few clients at a time, each with its
 * own half message, all on the loop thread. What is no message of ours ends its connection.
 */
#pragma once

#include <stdint.h>

#include "ctl/message.h"

enum server_verdict {
	SERVER_ANSWER,	/* m->data is the answer */
	SERVER_LATER,	/* server_answer() will be called with that peer */
	SERVER_IGNORE,	/* a number that we do not know: no answer */
};

/* m: the question, and room for the answer. On the loop thread. */
typedef enum server_verdict (*server_handler)(struct mngr_message *m, uint64_t peer);

/* Listens on a socket at path, for owner and group. Returns 0 or -errno. */
int server_init(const char *path, server_handler handler);
/* Answers a question of id from before; a client that has gone meanwhile is no error. */
void server_answer(uint64_t peer, uint32_t id, int32_t err);
/* Nothing happens without server_init(). */
void server_exit(void);
