/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * Every error here is somebody's typing error, so it names file, line and column. What acrn.efi brings along in
 * sections of its own goes before files.
 */
#include "conf.h"

#include "file.h"
#include "options.h"
#include "report.h"
#include "secure.h"

#define CONF_NAME "acrn.conf"
#define LIMIT_4G (1ull << 32)
/* The lowest initrd_addr_max that 64-bit kernels state is 0x7fffffff. */
#define LIMIT_INITRD (1ull << 31)

static EFI_STATUS find_conf(struct stub *stub)
{
	char name[PATH_SIZE];
	unsigned int words = options_path(stub->loaded->LoadOptions, stub->loaded->LoadOptionsSize,
					  name, sizeof(name));

	if (words > 1)
		return report_failure(EFI_INVALID_PARAMETER,
				      "the load options hold more than the path of acrn.conf");
	if (!path_join(stub->folder, words == 1 ? name : CONF_NAME, stub->conf_path,
		       sizeof(stub->conf_path)))
		return report_failure(EFI_INVALID_PARAMETER, "the path of acrn.conf is too long");
	/* what acrn.conf names is looked for beside acrn.conf */
	path_join("\\", stub->conf_path, stub->folder, sizeof(stub->folder));
	path_cut_name(stub->folder);
	return EFI_SUCCESS;
}

static EFI_STATUS report_scenario_error(struct stub *stub, const struct scenario_error *error)
{
	return report_failure(EFI_LOAD_ERROR, "%s:%u:%u: %s", stub->conf_path, error->at.line,
			      error->at.column, error->text);
}

/* With Secure Boot nobody may choose the command line who cannot sign. */
static EFI_STATUS read_text(struct stub *stub)
{
	EFI_STATUS status = file_from_section(stub, ".conf", LIMIT_4G, &stub->conf);

	if (status != EFI_NOT_FOUND) {
		path_join(stub->folder, "acrn.efi:.conf", stub->conf_path, sizeof(stub->conf_path));
		return EFI_ERROR(status) ? report_failure(status, "no memory for acrn.conf") : status;
	}
	if (secure_is_on(stub))
		return report_failure(EFI_SECURITY_VIOLATION,
				      "Secure Boot is on, and there is no acrn.conf in the signed acrn.efi");
	status = find_conf(stub);
	if (EFI_ERROR(status))
		return status;
	status = file_read(stub, stub->conf_path, LIMIT_4G, &stub->conf);
	if (EFI_ERROR(status))
		return report_failure(status, "%s: %s", stub->conf_path, report_status(status));
	return EFI_SUCCESS;
}

EFI_STATUS conf_read(struct stub *stub)
{
	static struct scenario_error error;
	EFI_STATUS status = read_text(stub);

	if (EFI_ERROR(status))
		return status;
	if (!scenario_parse((const char *)stub->conf.base, stub->conf.size, &stub->scenario,
			    &error))
		return report_scenario_error(stub, &error);
	report_set_serial(&stub->scenario.serial);
	if (!scenario_is_supported(&stub->scenario, &error))
		return report_scenario_error(stub, &error);
	report("%s is in order", stub->conf_path);
	return EFI_SUCCESS;
}

struct wanted {
	const char *what;
	const char *section;
	const char *name;
	struct scenario_place at;
	UINT64 limit;
	bool is_program; /* with Secure Boot it has to be signed, unless acrn.efi's signature covers it */
};

static EFI_STATUS report_file_error(struct stub *stub, const struct wanted *wanted,
				    EFI_STATUS status, const struct stub_file *file)
{
	if (status != EFI_OUT_OF_RESOURCES || file->size == 0)
		return report_failure(status, "%s:%u:%u: the %s %s: %s", stub->conf_path,
				      wanted->at.line, wanted->at.column, wanted->what,
				      wanted->name, report_status(status));
	return report_failure(
		status, "%s:%u:%u: the %s %s: too little memory for its %lu MiB below %lu MiB",
		stub->conf_path, wanted->at.line, wanted->at.column, wanted->what, wanted->name,
		(unsigned long)((file->size + 0xfffff) >> 20), (unsigned long)(wanted->limit >> 20));
}

static EFI_STATUS load(struct stub *stub, const struct wanted *wanted, struct stub_file *file)
{
	char path[PATH_SIZE];
	EFI_STATUS status = file_from_section(stub, wanted->section, wanted->limit, file);

	if (!EFI_ERROR(status)) {
		report("%s from acrn.efi, %lu KiB", wanted->what, (unsigned long)(file->size >> 10));
		return status;
	}
	if (status == EFI_NOT_FOUND && path_join(stub->folder, wanted->name, path, sizeof(path)))
		status = file_read(stub, path, wanted->limit, file);
	if (EFI_ERROR(status))
		return report_file_error(stub, wanted, status, file);
	if (file->size == 0)
		return report_failure(EFI_LOAD_ERROR, "%s:%u:%u: the %s %s is empty",
				      stub->conf_path, wanted->at.line, wanted->at.column,
				      wanted->what, wanted->name);
	if (wanted->is_program && !secure_accepts(stub, file))
		return report_failure(EFI_SECURITY_VIOLATION,
				      "Secure Boot is on, and the %s %s is not signed by a key it knows",
				      wanted->what, wanted->name);
	report("%s %s, %lu KiB", wanted->what, path, (unsigned long)(file->size >> 10));
	return EFI_SUCCESS;
}

EFI_STATUS conf_load_kernel(struct stub *stub)
{
	const struct scenario_boot *boot = &stub->scenario.service_vm;
	struct wanted wanted = {"kernel", ".linux", boot->kernel, boot->kernel_at, LIMIT_4G, true};

	return load(stub, &wanted, &stub->kernel);
}

EFI_STATUS conf_load_initrd(struct stub *stub)
{
	const struct scenario_boot *boot = &stub->scenario.service_vm;
	struct wanted wanted = {"initrd", ".initrd", boot->initrd, boot->initrd_at, LIMIT_INITRD, false};

	if (boot->initrd[0] == '\0')
		return EFI_SUCCESS;
	return load(stub, &wanted, &stub->initrd);
}
