/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Character back ends for serial ports and virtio-console. What a newcomer would get wrong: input arrives on
 * the loop thread, output may be written from any thread and never blocks the caller for long.
 *
 *   stdio            this terminal (raw while in use), one user only; where standard input is /dev/null, output and a
 *                    socket in MNGR_DIR, for acrnctl console
 *   pty[:PATH]       a new pseudo terminal, its name is printed; PATH: a symbolic link to it
 *   tcp:PORT         listens on 127.0.0.1, one client at a time
 *   file:PATH        output only, appended
 *   tty:PATH, PATH   a terminal device, raw
 *   socket:PATH[:server|client]   UNIX stream socket
 *   null             nothing comes, everything goes
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chardev;

struct chardev_client {
	/* Input, len > 0; all of it is consumed. On the loop thread. */
	void (*input)(void *arg, const uint8_t *buf, size_t len);
	/* Optional: room for output again, after a short chardev_write(). On the loop thread. */
	void (*writable)(void *arg);
	/* Optional: a peer came (true) or went. On the loop thread. stdio, tty, file: always connected. */
	void (*connected)(void *arg, bool is_connected);
	void *arg;
};

/*
 * Opens a back end. title names it in messages ("com1"). Returns NULL after a log_err() line that names spec
 * and reason.
 */
struct chardev *chardev_open(const char *spec, const char *title, const struct chardev_client *client);
/* No callback runs after it. Flushes for at most 100 ms. Not with a lock held that a callback takes. */
void chardev_close(struct chardev *c);

/*
 * Takes up to len bytes and returns how many it took; the rest can be offered again after writable(). With no
 * peer everything is taken and dropped.
 */
size_t chardev_write(struct chardev *c, const void *buf, size_t len);

/* Stops and starts input: while stopped nothing is read from the host. Any thread. */
void chardev_input_enable(struct chardev *c, bool enable);
bool chardev_is_connected(struct chardev *c);
