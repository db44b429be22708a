/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The firmware configuration device (QEMU's docs/specs/fw_cfg): numbered items, some of them files with a name,
 * read through a selector and a data register or by DMA. Nothing is ever written by the guest. The registers are
 * in dev/fw_cfg_dev.c; what a VM's items are is in firmware/fw_items.c.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define FW_CFG_SIGNATURE	0x00
#define FW_CFG_ID		0x01
#define FW_CFG_UUID		0x02
#define FW_CFG_RAM_SIZE		0x03
#define FW_CFG_NB_CPUS		0x05
#define FW_CFG_KERNEL_SIZE	0x08
#define FW_CFG_INITRD_SIZE	0x0b
#define FW_CFG_BOOT_MENU	0x0e
#define FW_CFG_MAX_CPUS		0x0f
#define FW_CFG_KERNEL_DATA	0x11
#define FW_CFG_INITRD_DATA	0x12
#define FW_CFG_CMDLINE_SIZE	0x14
#define FW_CFG_CMDLINE_DATA	0x15
#define FW_CFG_SETUP_SIZE	0x17
#define FW_CFG_SETUP_DATA	0x18
#define FW_CFG_DIRECTORY	0x19
#define FW_CFG_FIRST_FILE	0x20

/* Bytes of the VM's own: copied. Each returns 0, -ENOMEM, -EEXIST (key or name is taken) or -ENOSPC. */
int fw_cfg_add(uint16_t key, const void *data, uint32_t size);
int fw_cfg_add_number(uint16_t key, uint64_t value, unsigned int size);		/* little endian */
/* size bytes of a file from offset on: read when the guest reads, so fd must stay open. */
int fw_cfg_add_fd(uint16_t key, int fd, uint64_t offset, uint32_t size);
/* A file of the directory, at most 55 characters of name. */
int fw_cfg_add_file(const char *name, const void *data, uint32_t size);
/* The bytes of a file that exists, for changes; NULL if there is none. */
uint8_t *fw_cfg_file(const char *name, uint32_t *size);
/* Runs whenever that file is selected, before its first byte is read. False if there is no such file. */
bool fw_cfg_on_select(const char *name, void (*refresh)(void));
/* Makes the directory from the files. To be called once, after the last fw_cfg_add*(). */
int fw_cfg_finish(void);

/* The registers. Not locked. */
void fw_cfg_select(uint16_t key);
uint8_t fw_cfg_read_byte(void);
/* Carries out the command at gpa (struct FWCfgDmaAccess, big endian) and writes its outcome there. */
void fw_cfg_dma(uint64_t gpa);

void fw_cfg_reset(void);	/* registers only */
void fw_cfg_exit(void);		/* forgets all items */
