/* SPDX-License-Identifier: BSD-3-Clause */
/* Tells the service manager that started us (systemd, Type=notify) how far we are. */
#pragma once

/*
 * One message of sd_notify(3)'s protocol, "READY=1" for one, to the socket that $NOTIFY_SOCKET names: a path, or with
 * an @ in front an abstract one. Returns 0, also without such a socket, or -errno (logged).
 */
int notify(const char *state);
