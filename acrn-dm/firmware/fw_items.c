/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The items of machine q35: processors, memory map, ACPI, SMBIOS, boot order, and the kernel of -k. The ACPI tables are
 * made anew when the firmware asks for them, since by then it has placed BARs, ECAM and power management.
 */
#include "firmware/fw_items.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "firmware/acpi.h"
#include "firmware/acpi_loader.h"
#include "firmware/fw_cfg.h"
#include "firmware/smbios.h"
#include "loader/e820.h"
#include "loader/loader.h"
#include "log.h"
#include "memory.h"
#include "vm.h"

#define TABLES_SIZE	0x8000u
#define SMBIOS_ROOM	0x2000u

static atomic_bool tables_taken;

bool fw_items_tables_taken(void)
{
	return tables_taken;
}

void fw_items_reset(void)
{
	tables_taken = false;
}

static int machine_items(void)
{
	struct e820_entry map[E820_MAX];
	unsigned int count = e820_ram(map, mem_lowmem(), mem_highmem());
	unsigned int cpus = vm_vcpu_count();
	int err = fw_cfg_add(FW_CFG_SIGNATURE, "QEMU", 4);

	if (!err)
		err = fw_cfg_add_number(FW_CFG_ID, 3, 4);	/* registers, DMA */
	if (!err)
		err = fw_cfg_add(FW_CFG_UUID, config.uuid, sizeof(config.uuid));
	if (!err)
		err = fw_cfg_add_number(FW_CFG_RAM_SIZE, mem_lowmem() + mem_highmem(), 8);
	if (!err)
		err = fw_cfg_add_number(FW_CFG_NB_CPUS, cpus, 2);
	if (!err)
		err = fw_cfg_add_number(FW_CFG_MAX_CPUS, cpus, 2);
	if (!err)
		err = fw_cfg_add_number(FW_CFG_BOOT_MENU, 0, 2);
	if (!err)
		err = fw_cfg_add_file("etc/boot-menu-wait", "\0", 2);
	return err ? err : fw_cfg_add_file("etc/e820", map, count * (uint32_t)sizeof(map[0]));
}

static int smbios_items(void)
{
	uint8_t *buf = malloc(SMBIOS_ROOM), anchor[SMBIOS_ANCHOR_SIZE];
	struct smbios_machine m = smbios_machine();
	size_t len = buf ? smbios_build(&m, buf, SMBIOS_ROOM) : 0;
	int err = len ? 0 : -ENOMEM;

	smbios_anchor(anchor, 0, len);
	if (!err)
		err = fw_cfg_add_file("etc/smbios/smbios-tables", buf, (uint32_t)len);
	if (!err)
		err = fw_cfg_add_file("etc/smbios/smbios-anchor", anchor, sizeof(anchor));
	free(buf);
	return err;
}

/* Writes tables, RSDP and script for the machine as it is now; the length of the script, 0 on failure. */
static size_t make_tables(uint8_t *tables, uint8_t *rsdp, uint8_t *script)
{
	struct acpi_machine m;

	memset(tables, 0, TABLES_SIZE);
	acpi_describe(&m);
	if (acpi_build(&m, 0, tables, TABLES_SIZE) == 0)
		return 0;
	return acpi_loader_script(tables, TABLES_SIZE, rsdp, script);
}

static void refresh_tables(void)
{
	uint32_t size, script_size;
	uint8_t *tables = fw_cfg_file(ACPI_LOADER_TABLES, &size);
	uint8_t *rsdp = fw_cfg_file(ACPI_LOADER_RSDP, &size);
	uint8_t *script = fw_cfg_file(ACPI_LOADER_SCRIPT, &script_size);
	uint8_t fresh[ACPI_LOADER_MAX];

	tables_taken = true;
	if (tables && rsdp && script && make_tables(tables, rsdp, fresh) == script_size)
		memcpy(script, fresh, script_size);
	else
		log_err("the ACPI tables could not be made for the firmware");
}

static int acpi_items(void)
{
	uint8_t *tables = malloc(TABLES_SIZE), rsdp[ACPI_RSDP_SIZE], script[ACPI_LOADER_MAX];
	size_t len = tables ? make_tables(tables, rsdp, script) : 0;
	int err = len ? 0 : -ENOMEM;

	if (!err)
		err = fw_cfg_add_file(ACPI_LOADER_TABLES, tables, TABLES_SIZE);
	if (!err)
		err = fw_cfg_add_file(ACPI_LOADER_RSDP, rsdp, sizeof(rsdp));
	if (!err)
		err = fw_cfg_add_file(ACPI_LOADER_SCRIPT, script, (uint32_t)len);
	if (!err)
		fw_cfg_on_select(ACPI_LOADER_SCRIPT, refresh_tables);
	free(tables);
	return err;
}

/* Open Firmware's name of a device, as OVMF understands it; NULL: nothing boots from such a device. */
static const char *boot_path(const struct config_slot *s, char *buf, size_t room)
{
	const char *what = strcmp(s->driver, "virtio-blk") == 0 ? "scsi" :
			   strcmp(s->driver, "virtio-net") == 0 ? "ethernet" : NULL;
	char fn[8] = "";

	if (!what)
		return NULL;
	if (s->fn)
		snprintf(fn, sizeof(fn), ",%x", s->fn & 7);
	snprintf(buf, room, "/pci@i0cf8/%s@%x%s/%s", what, s->dev & 31, fn,
		 *what == 's' ? "disk@0,0" : "ethernet-phy@0");
	return buf;
}

/* What is marked by "b,". Without a mark the firmware has its own order. */
static int boot_order(void)
{
	char *list = calloc(1, CONFIG_SLOTS_MAX * 64), path[64];
	size_t len = 0;
	int err = list ? 0 : -ENOMEM;

	for (unsigned int i = 0; i < config.slot_count && !err; i++) {
		if (config.slot[i].boot && boot_path(&config.slot[i], path, sizeof(path)))
			len += (size_t)snprintf(list + len, 64, "%s\n", path);
	}
	/* The NUL at the end belongs to it. */
	if (len)
		err = fw_cfg_add_file("bootorder", list, (uint32_t)len + 1);
	free(list);
	return err;
}

int fw_items_add(void)
{
	int err = machine_items();

	if (!err)
		err = smbios_items();
	if (!err)
		err = acpi_items();
	if (!err)
		err = boot_order();
	if (!err)
		err = loader_add_items();
	if (!err)
		err = fw_cfg_finish();
	if (err)
		log_err("the firmware's configuration cannot be made: %s", strerror(-err));
	return err;
}
