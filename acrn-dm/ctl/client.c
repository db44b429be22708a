/* SPDX-License-Identifier: BSD-3-Clause */
/* One connection a question. */
#include "ctl/client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int exchange(int fd, struct mngr_message *m)
{
	struct mngr_message answer;
	size_t len = 0;

	if (send(fd, m, sizeof(*m), MSG_NOSIGNAL) != (ssize_t)sizeof(*m))
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	while (len < sizeof(answer)) {
		ssize_t n = recv(fd, (char *)&answer + len, sizeof(answer) - len, 0);

		if (n < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (n == 0)
			return -EPROTO;
		len += (size_t)n;
	}
	if (answer.magic != MNGR_MAGIC || answer.id != m->id)
		return -EPROTO;
	*m = answer;
	return 0;
}

int client_ask(const char *path, struct mngr_message *m, unsigned int seconds)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = seconds };
	int fd, err;

	if (strlen(path) >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	strcpy(to.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	m->magic = MNGR_MAGIC;
	m->timestamp = (uint64_t)time(NULL);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		err = -errno;
	else
		err = exchange(fd, m);
	close(fd);
	return err;
}
