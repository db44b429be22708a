/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * acrn.conf: which VMs start with the machine, and how the hypervisor speaks. One pure parser, used
 * by the EFI stub (to know which files to load), by the hypervisor (as a boot module) and by the
 * host tools (to check before a reboot). Everything is validated before anybody acts on a word of
 * it; an error names line, column and the text that is wrong.
 *
 *   [hypervisor]                        # all optional
 *   console  = serial 0x3f8 115200, screen
 *   loglevel = info
 *   watchdog = 300                    # seconds for the Service VM to come up; 0 (none) if not given
 *
 *   [service-vm]
 *   kernel  = vmlinuz                   # beside acrn.conf, or a path on its volume
 *   initrd  = initrd.img                # optional
 *   cmdline = root=/dev/sda2 ro quiet   # optional
 *
 *   [vm NAME]                           # starts with the machine; refused until built
 *   kernel  = rt-vmlinuz                # initrd and cmdline as above
 *   memory  = 256M
 *   cpus    = 0,2-3
 *   lapic   = passthrough               # or virtual
 *   devices = 00:1f.6, 01:00.0
 *
 * Consoles: serial PORT [BAUD], serial mmio ADDRESS [BAUD], screen; or none. Log levels: none,
 * error, warn, notice, info, debug, or 0 to 5. A comment starts with # at the start of a line or
 * behind a blank, so a # inside a word belongs to the word.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCENARIO_PATH_SIZE 256
#define SCENARIO_CMDLINE_SIZE 2048
#define SCENARIO_NAME_SIZE 16
#define SCENARIO_MAX_VMS 3
#define SCENARIO_MAX_DEVICES 16

/* The numbers of lib/log.h's levels. */
enum scenario_loglevel {
	SCENARIO_LOG_NONE,
	SCENARIO_LOG_ERROR,
	SCENARIO_LOG_WARN,
	SCENARIO_LOG_NOTICE,
	SCENARIO_LOG_INFO,
	SCENARIO_LOG_DEBUG,
};

/* Where in the file something stands, for errors found later (a file that is missing). From 1; 0:
 * not given. */
struct scenario_place {
	uint32_t line;
	uint32_t column;
};

struct scenario_serial {
	bool enabled;
	bool is_mmio; /* base is a physical address with 4-byte register spacing, not a port */
	uint64_t base;
	uint32_t baud;
};

/* What any Linux VM is started from. Empty strings: not given. */
struct scenario_boot {
	char kernel[SCENARIO_PATH_SIZE];
	char initrd[SCENARIO_PATH_SIZE];
	char cmdline[SCENARIO_CMDLINE_SIZE];
	struct scenario_place kernel_at;
	struct scenario_place initrd_at;
};

struct scenario_vm {
	char name[SCENARIO_NAME_SIZE];
	struct scenario_place at; /* its section header */
	struct scenario_boot boot;
	uint64_t memory; /* bytes */
	uint64_t cpus; /* bit map; 0: not given */
	bool lapic_passthrough;
	uint32_t num_devices;
	uint16_t devices[SCENARIO_MAX_DEVICES];
};

/* Some 11 KiB: keep it in static memory, not on a stack. */
struct scenario {
	struct scenario_serial serial;
	bool screen;
	uint32_t loglevel;
	uint32_t watchdog; /* seconds; 0: none */
	struct scenario_boot service_vm;
	uint32_t num_vms;
	struct scenario_vm vms[SCENARIO_MAX_VMS];
};

/* Lines and columns count from 1, columns in bytes. `text` is a sentence without the file's name.
 */
struct scenario_error {
	struct scenario_place at;
	char text[192];
};

/*
 * Reads the `len` bytes of acrn.conf at `text` (no NUL needed) into *scenario. False when a line is
 * wrong: *error then says which and why, and *scenario must not be used.
 */
bool scenario_parse(const char *text, size_t len, struct scenario *scenario,
		    struct scenario_error *error);

/* Whether everything the scenario asks for exists in this version; if not, *error names the line
 * that asks for more. */
bool scenario_is_supported(const struct scenario *scenario, struct scenario_error *error);
