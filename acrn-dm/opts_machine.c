/* SPDX-License-Identifier: BSD-3-Clause */
/* The values of --ovmf, --machine and --uuid, and what they mean together. */
#include "opts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uuid/uuid.h>

#include "config.h"

/* "code=A,vars=B" in any order; text is cut into pieces. */
static int split_ovmf(char *text, struct dm_config *cfg)
{
	char *rest = text, *part;

	while ((part = strsep(&rest, ",")) != NULL) {
		if (strncmp(part, "code=", 5) == 0 && part[5] && !cfg->ovmf_code)
			cfg->ovmf_code = part + 5;
		else if (strncmp(part, "vars=", 5) == 0 && part[5] && !cfg->ovmf_vars)
			cfg->ovmf_vars = part + 5;
		else
			return -EINVAL;
	}
	return cfg->ovmf_code && cfg->ovmf_vars ? 0 : -EINVAL;
}

int opts_parse_ovmf(const char *text, struct dm_config *cfg)
{
	const char *files = text;

	free(cfg->ovmf_text);
	cfg->ovmf_code = cfg->ovmf_vars = NULL;
	cfg->ovmf_write = strncmp(text, "w,", 2) == 0;
	if (cfg->ovmf_write)
		files += 2;
	cfg->ovmf_text = strdup(files);
	if (!cfg->ovmf_text)
		return -ENOMEM;
	if (strncmp(files, "code=", 5) == 0 || strncmp(files, "vars=", 5) == 0) {
		if (split_ovmf(cfg->ovmf_text, cfg) == 0)
			return 0;
	} else if (*files && !strchr(files, ',')) {
		cfg->ovmf_code = cfg->ovmf_text;
		return 0;
	}
	cfg->ovmf_code = cfg->ovmf_vars = NULL;
	return opts_error("--ovmf: \"%s\" is not [w,]IMAGE or [w,]code=FILE,vars=FILE", text);
}

int opts_parse_machine(const char *text, struct dm_config *cfg)
{
	if (strcmp(text, "acrn") != 0 && strcmp(text, "q35") != 0)
		return opts_error("--machine: \"%s\" is neither acrn nor q35", text);
	cfg->machine_name = text;
	return 0;
}

int opts_parse_uuid(const char *text, struct dm_config *cfg)
{
	if (uuid_parse(text, cfg->uuid) != 0 || uuid_is_null(cfg->uuid))
		return opts_error("--uuid: \"%s\" is not a UUID such as 5e6a3d10-8f1c-4d2e-9b7a-0c1d2e3f4a5b", text);
	return 0;
}

/* The same name has the same identity at each start: version 5 of RFC 4122, in a name space of ours. */
static void name_identity(struct dm_config *cfg)
{
	static const uuid_t space = { 0x7c, 0x1d, 0x0e, 0x52, 0x9a, 0x3b, 0x4f, 0x66,
				      0x8e, 0x21, 0x5d, 0x90, 0x44, 0xb7, 0x13, 0xac };

	if (uuid_is_null(cfg->uuid))
		uuid_generate_sha1(cfg->uuid, space, cfg->vm_name, strlen(cfg->vm_name));
}

static bool has_amd_bridge(const struct dm_config *cfg)
{
	for (unsigned int i = 0; i < cfg->slot_count; i++) {
		if (strcmp(cfg->slot[i].driver, "amd_hostbridge") == 0)
			return true;
	}
	return false;
}

int opts_settle_machine(struct dm_config *cfg)
{
	bool wants_q35 = cfg->machine_name ? strcmp(cfg->machine_name, "q35") == 0 : cfg->ovmf_code != NULL;

	cfg->machine = wants_q35 ? MACHINE_Q35 : MACHINE_ACRN;
	if (wants_q35 && !cfg->ovmf_code)
		return opts_error("--machine q35 needs firmware: give it with --ovmf");
	if (wants_q35 && has_amd_bridge(cfg))
		return opts_error("-s: machine q35 has its own host bridge, not amd_hostbridge");
	if (cfg->elf && (cfg->kernel || cfg->ovmf_code)) {
		opts_warn("-E is ignored: %s comes first", cfg->ovmf_code ? "--ovmf" : "-k");
		cfg->elf = NULL;
	}
	if (cfg->kernel && cfg->ovmf_code && !wants_q35)
		return opts_error("-k: only in machine q35 the firmware can be given a kernel");
	name_identity(cfg);
	return 0;
}
