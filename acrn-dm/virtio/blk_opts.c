/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What stands before the path of a disk: "mq=N," and "iothread[=N[@CPU[:CPU..][/CPU..]]],". Lists of CPUs are separated
 * by '/', one list a thread; '*' leaves a thread where the scheduler puts it, and so does a list that is not there.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "virtio/blk_internal.h"
#include "vm.h"

#define MQ_MAX	64u

/* One decimal number; *p moves behind it. */
static bool number(const char **p, unsigned long limit, unsigned long *value)
{
	char *end;

	if (!isdigit((unsigned char)**p))
		return false;
	errno = 0;
	*value = strtoul(*p, &end, 10);
	*p = end;
	return !errno && *value <= limit;
}

static bool take_list(const char **p, cpu_set_t *cpus)
{
	unsigned long cpu;

	CPU_ZERO(cpus);
	do {
		if (!number(p, CPU_SETSIZE - 1, &cpu) || cpu >= (unsigned long)sysconf(_SC_NPROCESSORS_CONF))
			return false;
		CPU_SET(cpu, cpus);
	} while (**p == ':' && (*p)++);
	return true;
}

static bool take_lists(const char *p, struct blk_prefix *o)
{
	unsigned int i = 0;

	do {
		if (i == o->iothreads)
			return false;
		if (*p == '*') {
			p++;
		} else {
			if (!take_list(&p, &o->thread[i].cpus))
				return false;
			o->thread[i].pinned = true;
		}
		i++;
	} while (*p == '/' && p++);
	return *p == '\0';
}

static bool take_iothread(const char *p, struct blk_prefix *o)
{
	unsigned long n = 1;

	if (*p == '=' && (p++, !number(&p, BLK_QUEUES_MAX, &n)))
		return false;
	o->iothreads = (unsigned int)n;
	if (n == 0 || (*p != '\0' && *p != '@'))
		return false;
	return *p == '\0' || take_lists(p + 1, o);
}

static bool take_mq(const char *p, struct blk_prefix *o)
{
	unsigned long n;

	if (!number(&p, MQ_MAX, &n) || n == 0 || *p)
		return false;
	o->queues = (unsigned int)n;
	return true;
}

static int take_word(const char *word, struct blk_prefix *o)
{
	bool is_mq = word[0] == 'm';

	if (is_mq ? take_mq(word + 3, o) : take_iothread(word + 8, o))
		return 0;
	if (is_mq)
		log_err("virtio-blk: '%s' is not a number of queues from 1 to %u", word, MQ_MAX);
	else
		log_err("virtio-blk: '%s' is not iothread[=1..%u[@CPU[:CPU][/CPU]]] with CPUs of this machine", word,
			BLK_QUEUES_MAX);
	return -EINVAL;
}

int blk_take_prefix(char **text, struct blk_prefix *o)
{
	unsigned int vcpus = vm_vcpu_count();

	o->queues = 1;
	while (strncmp(*text, "iothread", 8) == 0 || strncmp(*text, "mq=", 3) == 0) {
		char *word = strsep(text, ",");

		if (!*text) {
			log_err("virtio-blk: the path of the disk is missing behind '%s'", word);
			return -EINVAL;
		}
		if (take_word(word, o) != 0)
			return -EINVAL;
	}
	if (o->queues > vcpus) {
		log_notice("virtio-blk: %u queues are enough for %u vCPUs, mq=%u is too much", vcpus, vcpus, o->queues);
		o->queues = vcpus;
	}
	if (o->iothreads > o->queues)
		o->iothreads = o->queues;
	return 0;
}

void blk_pin(const struct blk *b, pthread_t thread, unsigned int queue)
{
	unsigned int i = b->prefix.iothreads ? queue % b->prefix.iothreads : 0;
	int err;

	if (!b->prefix.thread[i].pinned)
		return;
	err = pthread_setaffinity_np(thread, sizeof(cpu_set_t), &b->prefix.thread[i].cpus);
	if (err)
		log_warn("%s: cannot bind an I/O thread to its CPUs: %s", b->pci.name, strerror(err));
}
