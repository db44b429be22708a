/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * From firmware to hypervisor, one step a line. Until the last step everything can still go wrong
 * harmlessly: the reason is told, memory is given back, and the firmware boots its next entry.
 */
#include "conf.h"
#include "file.h"
#include "firmware.h"
#include "hypervisor.h"
#include "last_log.h"
#include "pages.h"
#include "report.h"

#define WAIT_SECONDS 10

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *st);

static EFI_STATUS (*const steps[])(struct stub *stub) = {
	conf_read,	   conf_load_kernel,
	conf_load_initrd,  hypervisor_place, firmware_check_memory,
	firmware_describe, last_log_prepare, firmware_leave,
};

static EFI_STATUS give_up(struct stub *stub, EFI_STATUS status)
{
	last_log_leave(stub, report_text());
	report("the firmware tries its next boot entry in %d seconds, or when a key is pressed",
	       WAIT_SECONDS);
	report_wait(WAIT_SECONDS);
	pages_give_back_all(stub->st->BootServices);
	if (stub->root != NULL)
		stub->root->Close(stub->root);
	return status;
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *st)
{
	static struct stub stub;
	EFI_STATUS status;
	unsigned int i;

	stub.image = image;
	stub.st = st;
	report_start(st);
	report("ACRN " ACRN_VERSION);
	status = file_open_volume(&stub);
	if (EFI_ERROR(status))
		return give_up(&stub, status);
	if (last_log_is_asked(&stub))
		return last_log_save(&stub);
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		status = steps[i](&stub);
		if (EFI_ERROR(status))
			return give_up(&stub, status);
	}
	hypervisor_enter(&stub);
}
