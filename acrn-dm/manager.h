/* SPDX-License-Identifier: BSD-3-Clause */
/* The socket by which acrnctl finds and asks this VM: ctl/message.h tells the protocol. */
#pragma once

/*
 * Listens in folder `dir` (MNGR_DIR). Without that folder, or without the right to write there, there is no such
 * socket, which is no error. Returns 0 or -errno (logged).
 */
int manager_init(const char *dir);
void manager_exit(void);
