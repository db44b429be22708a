/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * acrn-dm: one process is one virtual machine. What happens, in order; the exit status is 0 when the guest is
 * off, 1 after an error, 64 for a bad option value, or what the guest wrote to the debug exit port.
 */
#include "config.h"
#include "log.h"
#include "opts.h"
#include "vm.h"
#include "vm_event.h"

static int run(void)
{
	int status;

	if (log_configure(config.logger ? config.logger : "", config.vm_name) != 0)
		return 1;
	if (vm_event_block_signals() != 0)
		return 1;
	if (vm_create() != 0)
		return 1;
	status = vm_run();
	vm_destroy();
	return status;
}

int main(int argc, char **argv)
{
	int status = opts_parse(argc, argv, &config);

	if (status == OPTS_RUN)
		status = run();
	log_exit();
	opts_free(&config);
	return status;
}
