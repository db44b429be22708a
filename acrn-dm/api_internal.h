/* SPDX-License-Identifier: BSD-3-Clause */
/* Between the socket (api.c) and the commands (api_commands.c). */
#pragma once

#include <cjson/cJSON.h>
#include <stdbool.h>

struct api_client {
	bool wants_events;
};

/* A new object that answers the request; NULL when memory is short. request may be anything. */
cJSON *api_answer(struct api_client *c, const cJSON *request);
/* The greeting. */
cJSON *api_greeting(void);
