/* SPDX-License-Identifier: BSD-3-Clause */
/* See fake_vm.h. */
#include "unit.h"

#include "fake_vm.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/message.h"

static void answer(struct fake_vm *vm, int fd, struct mngr_message *m)
{
	if (m->id != MNGR_QUERY) {
		vm->last_force = m->data.stop.force;
		memcpy(vm->devargs, m->data.devargs, sizeof(vm->devargs));
		vm->last_id = m->id;
	}
	if (m->id == MNGR_STOP && !vm->is_stubborn)
		unlink(vm->path);
	memset(&m->data, 0, sizeof(m->data));
	m->data.err = m->id == MNGR_QUERY ? vm->state : m->id == MNGR_SUSPEND ? -1 : 0;
	(void)!write(fd, m, sizeof(*m));
}

static void *serve(void *arg)
{
	struct fake_vm *vm = arg;
	struct mngr_message m;
	int fd;

	while ((fd = accept(vm->fd, NULL, NULL)) >= 0) {
		while (recv(fd, &m, sizeof(m), MSG_WAITALL) == (ssize_t)sizeof(m))
			answer(vm, fd, &m);
		close(fd);
	}
	return NULL;
}

void fake_vm_start(struct fake_vm *vm, const char *dir, const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };

	snprintf(vm->path, sizeof(vm->path), "%s/%s.monitor.%d.socket", dir, name, (int)getpid());
	strcpy(at.sun_path, vm->path);
	vm->fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(vm->fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(vm->fd, 4), 0);
	assert_int_equal(pthread_create(&vm->thread, NULL, serve, vm), 0);
}

void fake_vm_end(struct fake_vm *vm)
{
	shutdown(vm->fd, SHUT_RDWR);
	pthread_join(vm->thread, NULL);
	close(vm->fd);
	unlink(vm->path);
}
