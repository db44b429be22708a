/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * The firmware's console wants 16-bit text and \r\n. Text of ours is ASCII, but paths and the like
 * may not be: what is above 0x7e becomes a question mark rather than a mess.
 */
#include "report.h"

#include "lib/printf.h"
#include "lib/string.h"
#include "uart.h"

#define LINE_SIZE 512
#define HID_PNP0501 0x050141d0 /* a 16550 in a device path */

#define TEXT_SIZE 4096

static EFI_SYSTEM_TABLE *system_table;
static char all_lines[TEXT_SIZE];

static unsigned int node_length(const EFI_DEVICE_PATH *node)
{
	return node->Length[0] | node->Length[1] << 8;
}

/* A serial port in a device path: COM1 has the number 0. */
static bool is_com(const EFI_DEVICE_PATH *node, unsigned int number)
{
	const ACPI_HID_DEVICE_PATH *acpi = (const void *)node;

	return node->Type == ACPI_DEVICE_PATH && node->SubType == ACPI_DP && acpi->HID == HID_PNP0501 &&
	       acpi->UID == number;
}

static bool leads_to_com(const EFI_DEVICE_PATH *node, unsigned int number)
{
	while (node->Type != END_DEVICE_PATH_TYPE && node_length(node) >= sizeof(*node)) {
		if (is_com(node, number))
			return true;
		node = (const void *)((const uint8_t *)node + node_length(node));
	}
	return false;
}

/* Whether one of the firmware's text consoles sits on that port. */
static bool has_terminal_on_com(EFI_BOOT_SERVICES *bs, unsigned int number)
{
	EFI_GUID text_out = EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL_GUID;
	EFI_GUID device_path = DEVICE_PATH_PROTOCOL;
	EFI_HANDLE *handles;
	UINTN count = 0;
	bool found = false;
	UINTN i;

	if (EFI_ERROR(bs->LocateHandleBuffer(ByProtocol, &text_out, NULL, &count, &handles)))
		return false;
	for (i = 0; i < count; i++) {
		VOID *path = NULL;

		if (!EFI_ERROR(bs->HandleProtocol(handles[i], &device_path, &path)) && path != NULL)
			found = found || leads_to_com(path, number);
	}
	bs->FreePool(handles);
	return found;
}

void report_start(EFI_SYSTEM_TABLE *st)
{
	static const struct scenario_serial com1 = {true, false, 0x3f8, 115200};

	system_table = st;
	report_set_serial(&com1);
}

void report_set_serial(const struct scenario_serial *serial)
{
	static const uint16_t ports[] = {0x3f8, 0x2f8, 0x3e8, 0x2e8};
	struct scenario_serial chosen = *serial;
	unsigned int i;

	for (i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		if (!serial->is_mmio && serial->base == ports[i] && has_terminal_on_com(system_table->BootServices, i))
			chosen.enabled = false;
	}
	uart_start(&chosen);
}

/* Behind the others; when there is no room, the older half goes. */
static void remember(const char *line)
{
	size_t length = strlen(all_lines);

	if (length + LINE_SIZE + 2 > TEXT_SIZE) {
		memcpy(all_lines, all_lines + TEXT_SIZE / 2, TEXT_SIZE / 2);
		length = strlen(all_lines);
	}
	snprintf(all_lines + length, TEXT_SIZE - length, "%s\n", line);
}

const char *report_text(void)
{
	return all_lines;
}

static void write_line(char *line)
{
	CHAR16 wide[LINE_SIZE + 2];
	UINTN i;

	for (i = 0; line[i] != '\0'; i++) {
		if (line[i] < ' ' || line[i] > '~')
			line[i] = '?';
		wide[i] = (CHAR16)line[i];
	}
	remember(line);
	wide[i++] = '\r';
	wide[i++] = '\n';
	wide[i] = 0;
	uart_write(line);
	uart_write("\r\n");
	if (system_table->ConOut != NULL)
		system_table->ConOut->OutputString(system_table->ConOut, wide);
}

static void report_va(const char *prefix, const char *fmt, va_list ap)
{
	char line[LINE_SIZE];
	int len = snprintf(line, sizeof(line), "%s", prefix);

	vsnprintf(line + len, sizeof(line) - (size_t)len, fmt, ap);
	write_line(line);
}

void report(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report_va("ACRN stub: ", fmt, ap);
	va_end(ap);
}

EFI_STATUS report_failure(EFI_STATUS status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report_va("ACRN cannot start: ", fmt, ap);
	va_end(ap);
	return EFI_ERROR(status) ? status : EFI_LOAD_ERROR;
}

const char *report_status(EFI_STATUS status)
{
	static const struct {
		EFI_STATUS status;
		const char *text;
	} texts[] = {
		{EFI_NOT_FOUND, "not found"},
		{EFI_OUT_OF_RESOURCES, "too little memory"},
		{EFI_DEVICE_ERROR, "the device reports an error"},
		{EFI_VOLUME_CORRUPTED, "the file system is damaged"},
		{EFI_NO_MEDIA, "there is no medium"},
		{EFI_MEDIA_CHANGED, "the medium was changed"},
		{EFI_ACCESS_DENIED, "access denied"},
		{EFI_UNSUPPORTED, "not supported by the firmware"},
		{EFI_INVALID_PARAMETER, "refused by the firmware"},
		{EFI_END_OF_FILE, "the file is shorter than its directory entry says"},
	};
	UINTN i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i].status == status)
			return texts[i].text;
	}
	return "the firmware reports an error";
}

void report_wait(unsigned int seconds)
{
	EFI_BOOT_SERVICES *bs = system_table->BootServices;
	EFI_EVENT events[2];
	UINTN count = 1;
	UINTN which;

	if (EFI_ERROR(bs->CreateEvent(EVT_TIMER, TPL_APPLICATION, NULL, NULL, &events[0]))) {
		bs->Stall(seconds * 1000000);
		return;
	}
	/* in units of 100 ns */
	bs->SetTimer(events[0], TimerRelative, seconds * 10000000ull);
	if (system_table->ConIn != NULL) {
		system_table->ConIn->Reset(system_table->ConIn, FALSE);
		events[count++] = system_table->ConIn->WaitForKey;
	}
	if (EFI_ERROR(bs->WaitForEvent(count, events, &which)))
		bs->Stall(seconds * 1000000);
	bs->CloseEvent(events[0]);
}
