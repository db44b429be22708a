/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Any bytes at all as acrn.conf: the parser stays inside them, and what it accepts or complains of
 * is well-formed.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/scenario.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static void check_vm(const struct scenario_vm *vm)
{
	require(memchr(vm->name, '\0', sizeof(vm->name)) != NULL && vm->name[0] != '\0');
	require(vm->boot.kernel[0] != '\0' && vm->memory != 0);
	require(vm->num_devices <= SCENARIO_MAX_DEVICES);
}

static void check_scenario(const struct scenario *scenario)
{
	const struct scenario_boot *boot = &scenario->service_vm;
	uint32_t i;

	require(boot->kernel[0] != '\0' && scenario->loglevel <= SCENARIO_LOG_DEBUG);
	require(memchr(boot->kernel, '\0', sizeof(boot->kernel)) != NULL);
	require(memchr(boot->initrd, '\0', sizeof(boot->initrd)) != NULL);
	require(memchr(boot->cmdline, '\0', sizeof(boot->cmdline)) != NULL);
	require(!scenario->serial.enabled ||
		(scenario->serial.base != 0 && scenario->serial.baud != 0));
	require(scenario->num_vms <= SCENARIO_MAX_VMS);
	for (i = 0; i < scenario->num_vms; i++)
		check_vm(&scenario->vms[i]);
}

/* An error stands at a place that is in the file, or right behind it. */
static void check_error(const struct scenario_error *error, const uint8_t *data, size_t size)
{
	uint32_t lines = 1;
	size_t i;

	for (i = 0; i < size; i++)
		lines += data[i] == '\n';
	require(error->at.line >= 1 && error->at.line <= lines + 1);
	require(error->at.column >= 1 && error->at.column <= size + 1);
	require(memchr(error->text, '\0', sizeof(error->text)) != NULL && error->text[0] != '\0');
	for (i = 0; error->text[i] != '\0'; i++)
		require(error->text[i] >= ' ' && error->text[i] <= '~');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct scenario scenario;
	static struct scenario_error error;

	memset(&scenario, 0xa5, sizeof(scenario));
	memset(&error, 0xa5, sizeof(error));
	if (!scenario_parse((const char *)data, size, &scenario, &error)) {
		check_error(&error, data, size);
		return 0;
	}
	check_scenario(&scenario);
	if (!scenario_is_supported(&scenario, &error))
		check_error(&error, data, size);
	return 0;
}
