/* SPDX-License-Identifier: BSD-3-Clause */
/* A character back end from inside: what chardev_open.c sets up and chardev.c runs. Nobody else includes it. */
#pragma once

#include <pthread.h>
#include <termios.h>

#include "backend/chardev.h"
#include "loop.h"

#define CHARDEV_OUT_SIZE	65536u

enum chardev_kind { CHARDEV_NULL, CHARDEV_STDIO, CHARDEV_STREAM, CHARDEV_FILE, CHARDEV_LISTEN, CHARDEV_CONNECT };

struct chardev {
	enum chardev_kind kind;
	char title[32];
	struct chardev_client client;

	pthread_mutex_t lock;		/* all below; never held in a callback of the client */
	int fd;				/* the peer, -1: none; stdio: 0 for input */
	loop_handle watch;		/* of fd */
	bool echoes;			/* output goes to standard output too, whether there is a peer or not */
	int listen_fd;
	loop_handle listen_watch;
	loop_handle retry;		/* timer of CHARDEV_CONNECT */
	bool input_on;
	bool short_write;		/* the client waits for writable() */
	size_t out_len;
	uint8_t *out;			/* what the peer did not take yet */

	char *path;			/* to unlink at the end, or to connect to */
	bool owns_path;
	bool has_termios;
	struct termios termios;		/* to restore */
	bool escaped;			/* stdio: Ctrl-a was the last byte */
};

/* Takes fd as the peer and watches it; closes it on failure. Returns 0 or -errno. */
int chardev_set_peer(struct chardev *c, int fd);
/* stdio without an input: a socket in dir for acrnctl console. -ENOENT: there is no such folder, or not for us. */
int chardev_open_console(struct chardev *c, const char *dir);
/* Waits for clients on c->listen_fd. */
int chardev_listen(struct chardev *c);
/* Connects to the UNIX socket c->path, now or later again and again. */
int chardev_connect(struct chardev *c);
/* Raw mode for a terminal, remembered in c. */
void chardev_make_raw(struct chardev *c, int fd);
/* Gives the terminal back, if c has it. */
void chardev_forget_stdio(struct chardev *c);
