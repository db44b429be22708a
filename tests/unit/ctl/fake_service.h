/* SPDX-License-Identifier: BSD-3-Clause */
/* systemctl that only takes notes: "start web.vm\n" for acrn-vm@web, "start web.script\n" for acrn-script@web. */
#pragma once

extern char service_calls[1024];
extern int service_status;	/* what it returns */
