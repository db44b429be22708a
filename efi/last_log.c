/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * See last_log.h. The log is looked for at each page of free memory, since the map of the last run is not known here;
 * its checksum tells.
 */
#include "last_log.h"

#include "lib/kept_log.h"
#include "lib/string.h"
#include "load_option.h"
#include "options.h"
#include "report.h"
#include "secure.h"

#define WORD "last-log"
#define SHIM "shimx64.efi"
#define DESCRIPTION "ACRN (log of the last run)"
#define FIRST_NUMBER 0xac12
#define NUMBERS 16
#define OPTION_SIZE 2048
#define LIMIT_4G (1ull << 32)
#define PAGE 4096
#define MAP_ROOM 16384
#define NOT_THERE 0xffff
#define TEXT_SIZE (KEPT_LOG_TEXT + 256)
#define RUNTIME (EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS)

static const char ended_badly[] = "The last run of the hypervisor ended badly. The end of its log:\n";
static const char ended[] = "The machine was reset while the hypervisor ran. The end of its log:\n";
static const char no_log[] = "The hypervisor was started, and there is no log of it in memory.";
static const char gave_up[] = "acrn.efi could not start the hypervisor:\n";

static EFI_GUID our_guid = {0xfa3f4204, 0xb72a, 0x4589, {0x99, 0x4f, 0x6b, 0xbd, 0xf7, 0xd4, 0x42, 0x84}};
static EFI_GUID global = EFI_GLOBAL_VARIABLE;

bool last_log_is_asked(const struct stub *stub)
{
	char word[sizeof(WORD)];

	return options_path(stub->loaded->LoadOptions, stub->loaded->LoadOptionsSize, word, sizeof(word)) == 1 &&
	       strcmp(word, WORD) == 0;
}

/* --- the boot entry --- */

static CHAR16 *boot_name(unsigned int number)
{
	static CHAR16 name[] = u"Boot0000";
	unsigned int i;

	for (i = 0; i < 4; i++)
		name[4 + i] = (CHAR16) "0123456789ABCDEF"[number >> (12 - 4 * i) & 15];
	return name;
}

/* The number of our entry if it is there, else a free one; NOT_THERE: neither. */
static unsigned int find_number(EFI_RUNTIME_SERVICES *rs, bool *is_there)
{
	static uint8_t bytes[OPTION_SIZE];
	unsigned int number;
	unsigned int found = NOT_THERE;

	for (number = FIRST_NUMBER; number < FIRST_NUMBER + NUMBERS; number++) {
		UINTN size = sizeof(bytes);
		EFI_STATUS status = rs->GetVariable(boot_name(number), &global, NULL, &size, bytes);

		*is_there = !EFI_ERROR(status) && load_option_is(bytes, size, DESCRIPTION);
		if (*is_there)
			return number;
		if (status == EFI_NOT_FOUND && found == NOT_THERE)
			found = number;
	}
	return found;
}

static void remove_entry(EFI_RUNTIME_SERVICES *rs)
{
	bool is_there;
	unsigned int number = find_number(rs, &is_there);

	if (is_there)
		rs->SetVariable(boot_name(number), &global, 0, 0, NULL);
}

/* The node of a file path, and its end. */
static const void *file_path(const char *folder, const char *name)
{
	static struct {
		EFI_DEVICE_PATH node;
		CHAR16 text[PATH_SIZE];
		EFI_DEVICE_PATH end;
	} path;
	char text[PATH_SIZE];
	UINTN length = 0;
	uint8_t *end;

	if (!path_join(folder, name, text, sizeof(text)) || !path_to_utf16(text, path.text, PATH_SIZE))
		return NULL;
	while (path.text[length++] != 0)
		;
	path.node = (EFI_DEVICE_PATH){MEDIA_DEVICE_PATH, MEDIA_FILEPATH_DP,
				      {(UINT8)(4 + 2 * length), (UINT8)((4 + 2 * length) >> 8)}};
	end = (uint8_t *)&path.text[length];
	memcpy(end, &(EFI_DEVICE_PATH){END_DEVICE_PATH_TYPE, END_ENTIRE_DEVICE_PATH_SUBTYPE, {4, 0}}, 4);
	return &path;
}

/* Whom shim started nobody else may start: with a key that only shim knows the firmware would refuse us. */
static void go_by_shim(struct stub *stub, struct load_option *option)
{
	static char data[PATH_SIZE + sizeof(" " WORD)] = "\\";

	if (!secure_is_on(stub) || !secure_has_shim(stub) || stub->name[0] == '\0')
		return;
	option->file = file_path(stub->folder, SHIM);
	str_copy(data + 1, stub->name, PATH_SIZE);
	memcpy(data + strlen(data), " " WORD, sizeof(" " WORD));
	option->data = data;
}

static EFI_STATUS make_entry(struct stub *stub, unsigned int number)
{
	static uint8_t bytes[OPTION_SIZE];
	EFI_GUID path_guid = DEVICE_PATH_PROTOCOL;
	struct load_option option = {LOAD_OPTION_IS_ACTIVE | LOAD_OPTION_IS_HIDDEN, DESCRIPTION, NULL,
				     stub->loaded->FilePath, WORD};
	VOID *device;
	size_t size;

	go_by_shim(stub, &option);
	if (option.file == NULL ||
	    EFI_ERROR(stub->st->BootServices->HandleProtocol(stub->loaded->DeviceHandle, &path_guid, &device)))
		return EFI_UNSUPPORTED;
	option.device = device;
	size = load_option_write(&option, bytes, sizeof(bytes));
	if (size == 0)
		return EFI_UNSUPPORTED;
	return stub->st->RuntimeServices->SetVariable(boot_name(number), &global, EFI_VARIABLE_NON_VOLATILE | RUNTIME,
						      size, bytes);
}

static bool has_boot_next(EFI_RUNTIME_SERVICES *rs)
{
	UINT16 next;
	UINTN size = sizeof(next);

	return rs->GetVariable((CHAR16 *)u"BootNext", &global, NULL, &size, &next) != EFI_NOT_FOUND;
}

EFI_STATUS last_log_prepare(struct stub *stub)
{
	EFI_RUNTIME_SERVICES *rs = stub->st->RuntimeServices;
	EFI_STATUS status = EFI_OUT_OF_RESOURCES;
	bool is_there;
	unsigned int number;
	UINT16 next;

	/* somebody else's wish goes before ours */
	if (has_boot_next(rs))
		return EFI_SUCCESS;
	number = find_number(rs, &is_there);
	next = (UINT16)number;
	if (number != NOT_THERE)
		status = make_entry(stub, number);
	if (!EFI_ERROR(status))
		status = rs->SetVariable((CHAR16 *)u"BootNext", &global, EFI_VARIABLE_NON_VOLATILE | RUNTIME,
					 sizeof(next), &next);
	if (EFI_ERROR(status))
		report("a log will not be kept for the next system: %s", report_status(status));
	return EFI_SUCCESS;
}

/* --- the log --- */

static const struct kept_log *find_in(UINT64 from, UINT64 to)
{
	UINT64 at;

	for (at = from; at < to && to - at >= sizeof(struct kept_log); at += PAGE) {
		if (at != 0 && kept_log_is_whole((const struct kept_log *)at))
			return (const struct kept_log *)at;
	}
	return NULL;
}

static const struct kept_log *find_log(EFI_BOOT_SERVICES *bs)
{
	static uint8_t map[MAP_ROOM] __attribute__((aligned(8)));
	const struct kept_log *found = NULL;
	UINTN size = sizeof(map), key, descriptor = 0, at;
	UINT32 version;

	if (EFI_ERROR(bs->GetMemoryMap(&size, (EFI_MEMORY_DESCRIPTOR *)map, &key, &descriptor, &version)))
		return NULL;
	for (at = 0; found == NULL && at + descriptor <= size; at += descriptor) {
		const EFI_MEMORY_DESCRIPTOR *d = (const void *)(map + at);
		UINT64 end = d->PhysicalStart + d->NumberOfPages * PAGE;

		if (d->Type == EfiConventionalMemory && d->PhysicalStart < LIMIT_4G)
			found = find_in(d->PhysicalStart, end < LIMIT_4G ? end : LIMIT_4G);
	}
	return found;
}

/* Firmwares limit the size of a variable: of what is too long the end is kept. */
static EFI_STATUS put(struct stub *stub, const char *title, const char *text, size_t length)
{
	static char buffer[TEXT_SIZE + 256];
	size_t head = strlen(title);
	EFI_STATUS status = EFI_SUCCESS;

	memcpy(buffer, title, head);
	for (; length > 0; text += length - length / 2, length /= 2) {
		memcpy(buffer + head, text, length);
		status = stub->st->RuntimeServices->SetVariable((CHAR16 *)u"AcrnLastLog", &our_guid, RUNTIME,
								head + length, buffer);
		if (!EFI_ERROR(status))
			break;
	}
	return status;
}

EFI_STATUS last_log_save(struct stub *stub)
{
	static char text[TEXT_SIZE];
	const struct kept_log *log = find_log(stub->st->BootServices);
	EFI_STATUS status;
	size_t length = 0;
	uint32_t at = 0;

	remove_entry(stub->st->RuntimeServices);
	if (log == NULL) {
		status = put(stub, no_log, "\n", 1);
	} else {
		while (length < KEPT_LOG_TEXT && kept_log_line(log, &at, text + length, sizeof(text) - length - 1)) {
			length += strlen(text + length);
			text[length++] = '\n';
		}
		status = put(stub, log->is_wanted ? ended_badly : ended, text, length);
	}
	if (EFI_ERROR(status))
		report("no log of the last run is kept: %s", report_status(status));
	else
		report("the log of the last run is kept for: acrn log --last");
	return EFI_NOT_STARTED;
}

void last_log_leave(struct stub *stub, const char *text)
{
	EFI_STATUS status = put(stub, gave_up, text, strlen(text));

	if (EFI_ERROR(status))
		report("the reason cannot be left for the next system: %s", report_status(status));
}
