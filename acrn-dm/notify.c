/* SPDX-License-Identifier: BSD-3-Clause */
/* One datagram a message: the protocol is small enough to need no library. */
#include "notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"

static int send_to(const char *name, const char *state)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t len = strlen(name);
	int fd, err = 0;

	if ((name[0] != '/' && name[0] != '@') || len >= sizeof(to.sun_path))
		return -EINVAL;
	memcpy(to.sun_path, name, len);
	if (name[0] == '@')
		to.sun_path[0] = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		err = -errno;
	close(fd);
	return err;
}

int notify(const char *state)
{
	const char *name = getenv("NOTIFY_SOCKET");
	int err = name && *name ? send_to(name, state) : 0;

	if (err)
		log_warn("NOTIFY_SOCKET=%s does not take \"%s\": %s", name, state, strerror(-err));
	return err;
}
