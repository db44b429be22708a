/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Items and the state of the registers: the selected item and the place in it. Behind the end of an item, and
 * where there is none, zeros are read, as the specification says. A length of the guest's is worked off in pieces
 * of guest memory, so it costs no memory here.
 */
#include "firmware/fw_cfg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "memory.h"

#define ITEMS_MAX	48
#define NAME_MAX_LEN	55
#define DIR_ENTRY	64

#define DMA_ERROR	0x01u
#define DMA_READ	0x02u
#define DMA_SKIP	0x04u
#define DMA_SELECT	0x08u
#define DMA_WRITE	0x10u

struct item {
	uint16_t key;
	char name[NAME_MAX_LEN + 1];	/* "": no file */
	uint8_t *data;			/* NULL: from fd */
	int fd;
	uint64_t offset;
	uint32_t size;
	void (*refresh)(void);
};

static struct {
	struct item item[ITEMS_MAX];
	unsigned int count;
	uint16_t next_file;
	struct item *selected;
	uint32_t at;
} fw = { .next_file = FW_CFG_FIRST_FILE };

static void put_be(uint8_t *p, uint64_t v, unsigned int size)
{
	while (size--) {
		p[size] = (uint8_t)v;
		v >>= 8;
	}
}

static uint64_t get_be(const uint8_t *p, unsigned int size)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < size; i++)
		v = v << 8 | p[i];
	return v;
}

static struct item *find(uint16_t key)
{
	for (unsigned int i = 0; i < fw.count; i++) {
		if (fw.item[i].key == key)
			return &fw.item[i];
	}
	return NULL;
}

static struct item *find_name(const char *name)
{
	for (unsigned int i = 0; i < fw.count; i++) {
		if (fw.item[i].name[0] && strcmp(fw.item[i].name, name) == 0)
			return &fw.item[i];
	}
	return NULL;
}

static int add(const struct item *it)
{
	if (fw.count == ITEMS_MAX)
		return -ENOSPC;
	if (find(it->key))
		return -EEXIST;
	fw.item[fw.count++] = *it;
	return 0;
}

static int add_copy(struct item *it, const void *data)
{
	int err;

	it->data = malloc(it->size ? it->size : 1);
	if (!it->data)
		return -ENOMEM;
	memcpy(it->data, data, it->size);
	err = add(it);
	if (err)
		free(it->data);
	return err;
}

int fw_cfg_add(uint16_t key, const void *data, uint32_t size)
{
	struct item it = { .key = key, .fd = -1, .size = size };

	return add_copy(&it, data);
}

int fw_cfg_add_number(uint16_t key, uint64_t value, unsigned int size)
{
	uint8_t bytes[8];

	for (unsigned int i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(value >> 8 * i);
	return size > sizeof(bytes) ? -EINVAL : fw_cfg_add(key, bytes, size);
}

int fw_cfg_add_fd(uint16_t key, int fd, uint64_t offset, uint32_t size)
{
	return add(&(struct item){ .key = key, .fd = fd, .offset = offset, .size = size });
}

int fw_cfg_add_file(const char *name, const void *data, uint32_t size)
{
	struct item it = { .key = fw.next_file, .fd = -1, .size = size };
	int err;

	if (strlen(name) > NAME_MAX_LEN)
		return -ENOSPC;
	if (find_name(name))
		return -EEXIST;
	strcpy(it.name, name);
	err = add_copy(&it, data);
	if (!err)
		fw.next_file++;
	return err;
}

uint8_t *fw_cfg_file(const char *name, uint32_t *size)
{
	struct item *it = find_name(name);

	*size = it ? it->size : 0;
	return it ? it->data : NULL;
}

bool fw_cfg_on_select(const char *name, void (*refresh)(void))
{
	struct item *it = find_name(name);

	if (it)
		it->refresh = refresh;
	return it != NULL;
}

int fw_cfg_finish(void)
{
	uint8_t dir[4 + ITEMS_MAX * DIR_ENTRY] = { 0 };
	unsigned int n = 0;

	for (unsigned int i = 0; i < fw.count; i++) {
		uint8_t *e = dir + 4 + n * DIR_ENTRY;

		if (!fw.item[i].name[0])
			continue;
		put_be(e, fw.item[i].size, 4);
		put_be(e + 4, fw.item[i].key, 2);
		strcpy((char *)e + 8, fw.item[i].name);
		n++;
	}
	put_be(dir, n, 4);
	return fw_cfg_add(FW_CFG_DIRECTORY, dir, 4 + n * DIR_ENTRY);
}

void fw_cfg_select(uint16_t key)
{
	fw.selected = find(key);
	fw.at = 0;
	if (fw.selected && fw.selected->refresh)
		fw.selected->refresh();
}

/* len bytes that lie in the item, to buf; what a file cannot give reads as zeros. */
static void copy_out(const struct item *it, uint32_t at, uint8_t *buf, uint32_t len)
{
	if (it->data) {
		memcpy(buf, it->data + at, len);
		return;
	}
	while (len) {
		ssize_t n = pread(it->fd, buf, len, (off_t)(it->offset + at));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			log_guest("fw_cfg: item 0x%x: %s", it->key,
				  n < 0 ? strerror(errno) : "the file became shorter");
			memset(buf, 0, len);
			return;
		}
		buf += n;
		at += (uint32_t)n;
		len -= (uint32_t)n;
	}
}

static uint32_t left(void)
{
	return fw.selected && fw.at < fw.selected->size ? fw.selected->size - fw.at : 0;
}

static void advance(uint32_t by)
{
	fw.at = by > UINT32_MAX - fw.at ? UINT32_MAX : fw.at + by;
}

uint8_t fw_cfg_read_byte(void)
{
	uint8_t value = 0;

	if (left()) {
		copy_out(fw.selected, fw.at, &value, 1);
		fw.at++;
	}
	return value;
}

/* Into guest memory; false if a byte of it is no memory. */
static bool dma_read(uint64_t to, uint32_t len)
{
	uint8_t *p = mem_ptr(to, len);
	uint32_t there = left() < len ? left() : len;

	if (!p)
		return false;
	if (there)
		copy_out(fw.selected, fw.at, p, there);
	memset(p + there, 0, len - there);
	advance(len);
	return true;
}

static uint32_t dma_command(uint32_t control, uint32_t len, uint64_t address)
{
	if (control & DMA_SELECT)
		fw_cfg_select((uint16_t)(control >> 16));
	if (control & DMA_READ)
		return len == 0 || dma_read(address, len) ? 0 : DMA_ERROR;
	if (control & DMA_WRITE)
		return DMA_ERROR;	/* every item is read-only */
	if (control & DMA_SKIP)
		advance(len);
	return 0;
}

void fw_cfg_dma(uint64_t gpa)
{
	uint8_t command[16], result[4];

	if (!mem_read(gpa, command, sizeof(command))) {
		log_guest("fw_cfg: a DMA command at 0x%llx, where no memory is", (unsigned long long)gpa);
		return;
	}
	put_be(result, dma_command((uint32_t)get_be(command, 4), (uint32_t)get_be(command + 4, 4),
				   get_be(command + 8, 8)), 4);
	mem_write(gpa, result, sizeof(result));
}

void fw_cfg_reset(void)
{
	fw.selected = NULL;
	fw.at = 0;
}

void fw_cfg_exit(void)
{
	for (unsigned int i = 0; i < fw.count; i++)
		free(fw.item[i].data);
	memset(&fw, 0, sizeof(fw));
	fw.next_file = FW_CFG_FIRST_FILE;
}
