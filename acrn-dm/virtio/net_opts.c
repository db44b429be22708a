/* SPDX-License-Identifier: BSD-3-Clause */
/* The option text of virtio-net. The words tap, vhost, mac and mac_seed are those of the original. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/md5.h"
#include "config.h"
#include "log.h"
#include "virtio/net.h"
#include "virtio/net_internal.h"

static int bad_option(const char *word)
{
	log_err("virtio-net: option '%s' is unknown or its value is wrong", word);
	return -EINVAL;
}

/* "N", or 0 if it is not a number in range. */
static unsigned int pairs_of(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	return *text >= '0' && *text <= '9' && *end == '\0' && n <= NET_PAIRS_MAX ? (unsigned int)n : 0;
}

/* "WORD=" at the start: what follows, or NULL if that is empty or not there. */
static char *value_of(char *text, const char *word)
{
	size_t len = strlen(word);

	return strncmp(text, word, len) == 0 && text[len] == '=' && text[len + 1] ? text + len + 1 : NULL;
}

static bool take(char *word, struct net_options *o)
{
	char *value;

	if ((value = value_of(word, "tap")) != NULL)
		o->tap = value;
	else if ((value = value_of(word, "mac")) != NULL)
		o->mac = value;
	else if (strncmp(word, "mac_seed=", 9) == 0)
		o->seed = word + 9;
	else if ((value = value_of(word, "hostfwd")) != NULL && o->user.forwards < NETDEV_FORWARDS_MAX)
		o->user.forward[o->user.forwards++] = value;
	else if ((value = value_of(word, "queues")) != NULL)
		return (o->pairs = pairs_of(value)) != 0;
	else if (strcmp(word, "user") == 0)
		o->is_user = true;
	else if (strcmp(word, "restrict") == 0)
		o->user.restricted = true;
	else if (strcmp(word, "vhost") == 0)
		o->vhost = true;
	else
		return false;
	return true;
}

static const char *conflict(const struct net_options *o)
{
	if (!o->tap && !o->is_user)
		return "tap=NAME or user is missing";
	if (o->tap && o->is_user)
		return "tap and user exclude each other";
	if (!o->is_user && (o->user.forwards || o->user.restricted))
		return "hostfwd and restrict need user";
	if (o->is_user && (o->vhost || o->pairs > 1))
		return "vhost and queues need a tap";
	return NULL;
}

int net_parse(char *text, struct net_options *o)
{
	const char *error;
	char *word;

	*o = (struct net_options){ .pairs = 1 };
	while ((word = strsep(&text, ",")) != NULL)
		if (!take(word, o))
			return bad_option(word);
	error = conflict(o);
	if (!error)
		return 0;
	log_err("virtio-net: %s", error);
	return -EINVAL;
}

static bool parse_mac(const char *text, uint8_t mac[6])
{
	int end = 0;

	return strlen(text) == 17 &&
	       sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0], &mac[1], &mac[2], &mac[3],
		      &mac[4], &mac[5], &end) == 6 &&
	       end == 17 && !(mac[0] & 1);
}

void virtio_net_auto_mac(unsigned int dev, unsigned int fn, const char *seed, uint8_t mac[6])
{
	char text[256];
	uint8_t d[16];

	if (seed && *seed)
		snprintf(text, sizeof(text), "%u-%u-%s", dev, fn, seed);
	else
		snprintf(text, sizeof(text), "%u-%u", dev, fn);
	md5(text, strlen(text), d);
	mac[0] = 0x00;
	mac[1] = 0x16;
	mac[2] = 0x3e;
	memcpy(mac + 3, d, 3);
}

int net_choose_mac(const struct net_options *o, unsigned int dev, unsigned int fn, uint8_t mac[6])
{
	if (!o->mac) {
		virtio_net_auto_mac(dev, fn, o->seed ? o->seed : config.vm_name, mac);
		return 0;
	}
	return parse_mac(o->mac, mac) ? 0 : bad_option(o->mac);
}
