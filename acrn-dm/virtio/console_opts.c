/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The option text of virtio-console: one port a word, each opened through backend/chardev.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "virtio/console_internal.h"

static int bad_port(const char *word)
{
	log_err("virtio-console: '%s' is not [@]stdio|pty|tty|file|socket:NAME[=PATH[:server|client]]", word);
	return -EINVAL;
}

static bool is_known(const char *backend)
{
	static const char *const names[] = { "stdio", "pty", "tty", "file", "socket" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(backend, names[i]) == 0)
			return true;
	return false;
}

/* "BACKEND:NAME[=PATH]" becomes the port's name and what chardev_open() reads. */
static int split(struct console_port *p, char *word, char *spec, size_t len)
{
	const char *backend = strsep(&word, ":");
	const char *name = word ? strsep(&word, "=") : NULL;
	int n;

	if (!name || !*name || strlen(name) > CONSOLE_NAME_MAX || !is_known(backend) || (word && !*word))
		return -EINVAL;
	strcpy(p->name, name);
	n = snprintf(spec, len, word ? "%s:%s" : "%s", backend, word);
	return n < 0 || (size_t)n >= len ? -ENAMETOOLONG : 0;
}

static int open_port(struct console *c, char *word, const struct chardev_client *client)
{
	struct console_port *p = &c->port[c->port_count];
	struct chardev_client own = *client;
	char spec[512];
	char *text = strdup(word);
	int err = text ? 0 : -ENOMEM;

	if (!err) {
		p->is_console = text[0] == '@';
		err = split(p, text + p->is_console, spec, sizeof(spec));
	}
	free(text);
	if (err)
		return bad_port(word);
	p->console = c;
	p->index = c->port_count;
	own.arg = p;
	/* Tools look for this very wording on stdout when a pty is made. */
	p->backend = chardev_open(spec, "virt-console backend", &own);
	if (!p->backend)
		return -EIO;
	c->port_count++;
	chardev_input_enable(p->backend, false);
	return 0;
}

int console_open_ports(struct console *c, char *text, const struct chardev_client *client)
{
	char *word;

	while ((word = strsep(&text, ",")) != NULL) {
		int err;

		if (c->port_count == CONSOLE_PORTS_MAX) {
			log_err("virtio-console: more than %u ports", CONSOLE_PORTS_MAX);
			return -EINVAL;
		}
		err = open_port(c, word, client);
		if (err)
			return err;
	}
	return 0;
}
