/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * The parser of acrn.conf: line by line, one table of keys for each kind of section. A key's
 * handler receives the value as a piece of the file itself, which is how an error finds its line
 * and column again.
 */
#include "config/scenario.h"
#include "config/slice.h"

#define DEFAULT_SERIAL_PORT 0x3f8
#define DEFAULT_BAUD 115200
#define MAX_BAUD 4000000
#define MAX_WATCHDOG 3600
#define SHOWN_TEXT 48 /* as much of the offending text as an error repeats */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct parser;

struct key {
	const char *name;
	bool (*set)(struct parser *p, struct slice value);
	bool required;
};

struct section {
	const char *name;
	const struct key *keys;
	uint32_t num_keys;
};

struct parser {
	struct slice rest; /* what has not been read yet */
	const char *line_start;
	uint32_t line;
	struct scenario *out;
	struct scenario_error *error;
	const struct section *section; /* the one being read; NULL before the first */
	struct slice section_title; /* what stood between its brackets */
	struct scenario_place section_at;
	uint32_t keys_seen; /* a bit for each key of the section already given */
	bool hypervisor_seen;
	bool service_vm_seen;
	struct scenario_boot *boot; /* where kernel, initrd and cmdline go */
	struct scenario_vm *vm;
};

/* ---- errors ---- */

static void append(struct scenario_error *error, const char *text)
{
	size_t at = 0;
	size_t i;

	while (error->text[at] != '\0')
		at++;
	for (i = 0; text[i] != '\0' && at + 1 < sizeof(error->text); i++)
		error->text[at++] = text[i];
	error->text[at] = '\0';
}

/* Adds the text in quotes, shortened, with anything that would upset a terminal replaced. */
static void append_quoted(struct scenario_error *error, struct slice s)
{
	char shown[SHOWN_TEXT + 1];
	size_t len = s.len < SHOWN_TEXT ? s.len : SHOWN_TEXT;
	size_t i;

	for (i = 0; i < len; i++)
		shown[i] = s.at[i] >= ' ' && s.at[i] <= '~' ? s.at[i] : '?';
	shown[len] = '\0';
	append(error, "\"");
	append(error, shown);
	append(error, s.len > SHOWN_TEXT ? "...\"" : "\"");
}

static void error_start(struct scenario_error *error, struct scenario_place at)
{
	error->at = at;
	error->text[0] = '\0';
}

/* Where in the file a piece of the current line stands. */
static struct scenario_place place_of(const struct parser *p, struct slice where)
{
	return (struct scenario_place){p->line, (uint32_t)(where.at - p->line_start) + 1};
}

/* "BEFORE "TEXT"AFTER" at the place of the text in the current line. Always false. */
static bool fail_at(struct parser *p, struct slice where, const char *before, const char *after)
{
	error_start(p->error, place_of(p, where));
	append(p->error, before);
	if (where.len > 0) {
		append(p->error, " ");
		append_quoted(p->error, where);
	}
	append(p->error, after);
	return false;
}

/* ---- values ---- */

static bool set_path(struct parser *p, struct slice value, char *to)
{
	if (!slice_copy(value, to, SCENARIO_PATH_SIZE))
		return fail_at(p, value, "the path", " is longer than 255 bytes");
	return true;
}

static bool set_kernel(struct parser *p, struct slice value)
{
	p->boot->kernel_at = place_of(p, value);
	return set_path(p, value, p->boot->kernel);
}

static bool set_initrd(struct parser *p, struct slice value)
{
	p->boot->initrd_at = place_of(p, value);
	return set_path(p, value, p->boot->initrd);
}

static bool set_cmdline(struct parser *p, struct slice value)
{
	if (!slice_copy(value, p->boot->cmdline, sizeof(p->boot->cmdline)))
		return fail_at(p, value, "the command line", " is longer than 2047 bytes");
	return true;
}

/* `serial` has been read; what follows is PORT [BAUD] or mmio ADDRESS [BAUD]. */
static bool set_serial(struct parser *p, struct slice rest)
{
	struct scenario_serial *serial = &p->out->serial;
	struct slice word = slice_take_word(&rest);
	uint64_t baud = DEFAULT_BAUD;

	serial->enabled = true;
	serial->is_mmio = slice_equals(word, "mmio");
	if (serial->is_mmio)
		word = slice_take_word(&rest);
	if (!slice_number(word, serial->is_mmio ? UINT64_MAX : 0xfff8, &serial->base) ||
	    serial->base == 0)
		return fail_at(p, word, serial->is_mmio ? "bad address" : "bad port",
			       " of the serial console");
	word = slice_take_word(&rest);
	if (word.len > 0 && (!slice_number(word, MAX_BAUD, &baud) || baud == 0))
		return fail_at(p, word, "bad baud rate", " of the serial console");
	rest = slice_trim(rest);
	if (rest.len > 0)
		return fail_at(p, rest, "unexpected", " behind the baud rate");
	serial->baud = (uint32_t)baud;
	return true;
}

/* `whole` is the value, `sole` whether the item is all of it. */
static bool set_console_item(struct parser *p, struct slice item, bool sole)
{
	struct slice rest = item;
	struct slice kind = slice_take_word(&rest);

	if (slice_equals(kind, "serial") && !p->out->serial.enabled)
		return set_serial(p, rest);
	if (slice_equals(item, "screen") && !p->out->screen) {
		p->out->screen = true;
		return true;
	}
	if (slice_equals(item, "none") && sole)
		return true;
	if (slice_equals(kind, "serial") || slice_equals(item, "screen"))
		return fail_at(p, item, "a second console", " of the same kind");
	if (slice_equals(item, "none"))
		return fail_at(p, item, "the console", " cannot stand beside another");
	return fail_at(p, item, "unknown console",
		       ": use serial PORT [BAUD], serial mmio ADDRESS [BAUD], screen or none");
}

static bool set_console(struct parser *p, struct slice value)
{
	struct slice rest = value;

	p->out->serial.enabled = false;
	p->out->screen = false;
	while (rest.at != NULL) {
		struct slice item = slice_take_item(&rest, ',');

		if (!set_console_item(p, item, item.len == value.len))
			return false;
	}
	return true;
}

static bool set_loglevel(struct parser *p, struct slice value)
{
	static const struct {
		const char *name;
		uint32_t level;
	} levels[] = {
		{"none", SCENARIO_LOG_NONE}, {"error", SCENARIO_LOG_ERROR},
		{"warn", SCENARIO_LOG_WARN}, {"notice", SCENARIO_LOG_NOTICE},
		{"info", SCENARIO_LOG_INFO}, {"debug", SCENARIO_LOG_DEBUG},
	};
	uint64_t number;
	size_t i;

	for (i = 0; i < COUNT(levels); i++) {
		if (slice_equals(value, levels[i].name)) {
			p->out->loglevel = levels[i].level;
			return true;
		}
	}
	if (!slice_number(value, SCENARIO_LOG_DEBUG, &number))
		return fail_at(
			p, value, "bad loglevel",
			": use none, error, warn, notice, info, debug, or a number from 0 to 5");
	p->out->loglevel = (uint32_t)number;
	return true;
}

static bool set_watchdog(struct parser *p, struct slice value)
{
	uint64_t seconds;

	if (!slice_number(value, MAX_WATCHDOG, &seconds))
		return fail_at(p, value, "bad watchdog", ": use seconds, at most 3600; 0 is none");
	p->out->watchdog = (uint32_t)seconds;
	return true;
}

static bool set_memory(struct parser *p, struct slice value)
{
	if (!slice_size(value, &p->vm->memory) || p->vm->memory == 0)
		return fail_at(p, value, "bad size", ": use a number with K, M or G, like 256M");
	if ((p->vm->memory & 0xfffff) != 0)
		return fail_at(p, value, "the size", " is not a multiple of 1M");
	return true;
}

static bool set_cpus(struct parser *p, struct slice value)
{
	if (!slice_cpus(value, &p->vm->cpus))
		return fail_at(p, value, "bad list of CPUs",
			       ": use numbers from 0 to 63, like 0,2-3");
	return true;
}

static bool set_lapic(struct parser *p, struct slice value)
{
	p->vm->lapic_passthrough = slice_equals(value, "passthrough");
	if (!p->vm->lapic_passthrough && !slice_equals(value, "virtual"))
		return fail_at(p, value, "bad lapic", ": use virtual or passthrough");
	return true;
}

static bool set_devices(struct parser *p, struct slice value)
{
	struct slice rest = value;

	while (rest.at != NULL) {
		struct slice item = slice_take_item(&rest, ',');
		uint16_t bdf;

		if (!slice_bdf(item, &bdf))
			return fail_at(p, item, "bad PCI device",
				       ": use bus:device.function, like 00:1f.6");
		if (p->vm->num_devices == SCENARIO_MAX_DEVICES)
			return fail_at(p, item, "too many devices: no room for", "");
		p->vm->devices[p->vm->num_devices++] = bdf;
	}
	return true;
}

/* ---- sections ---- */

static const struct key hypervisor_keys[] = {
	{.name = "console", .set = set_console},
	{.name = "loglevel", .set = set_loglevel},
	{.name = "watchdog", .set = set_watchdog},
};

static const struct key service_vm_keys[] = {
	{.name = "kernel", .set = set_kernel, .required = true},
	{.name = "initrd", .set = set_initrd},
	{.name = "cmdline", .set = set_cmdline},
};

static const struct key vm_keys[] = {
	{.name = "kernel", .set = set_kernel, .required = true},
	{.name = "initrd", .set = set_initrd},
	{.name = "cmdline", .set = set_cmdline},
	{.name = "memory", .set = set_memory, .required = true},
	{.name = "cpus", .set = set_cpus},
	{.name = "lapic", .set = set_lapic},
	{.name = "devices", .set = set_devices},
};

static const struct section hypervisor_section = {"hypervisor", hypervisor_keys,
						  COUNT(hypervisor_keys)};
static const struct section service_vm_section = {"service-vm", service_vm_keys,
						  COUNT(service_vm_keys)};
static const struct section vm_section = {"vm", vm_keys, COUNT(vm_keys)};

/* The section that ends here must have had all it needs; the error stands at its header. */
static bool end_section(struct parser *p)
{
	uint32_t i;

	for (i = 0; p->section != NULL && i < p->section->num_keys; i++) {
		if (!p->section->keys[i].required || (p->keys_seen & 1u << i) != 0)
			continue;
		error_start(p->error, p->section_at);
		append(p->error, "[");
		append(p->error, p->section->name);
		append(p->error, p->section == &vm_section ? " ...] has no " : "] has no ");
		append(p->error, p->section->keys[i].name);
		return false;
	}
	return true;
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.';
}

static bool start_vm(struct parser *p, struct slice name)
{
	struct scenario_vm *vm;
	size_t i;

	if (name.len == 0)
		return fail_at(p, p->section_title, "the section", " needs a name: [vm NAME]");
	for (i = 0; i < name.len; i++) {
		if (!is_name_char(name.at[i]))
			return fail_at(p, name, "bad VM name",
				       ": use letters, digits, dot, dash and underscore");
	}
	if (name.len >= SCENARIO_NAME_SIZE)
		return fail_at(p, name, "the VM name", " is longer than 15 characters");
	for (i = 0; i < p->out->num_vms; i++) {
		if (slice_equals(name, p->out->vms[i].name))
			return fail_at(p, name, "a second VM named", "");
	}
	if (p->out->num_vms == SCENARIO_MAX_VMS)
		return fail_at(p, name, "too many VMs: no room for", "");
	vm = &p->out->vms[p->out->num_vms++];
	(void)slice_copy(name, vm->name, sizeof(vm->name));
	vm->at = p->section_at;
	p->vm = vm;
	p->boot = &vm->boot;
	p->section = &vm_section;
	return true;
}

static bool start_single(struct parser *p, const struct section *section, bool *seen)
{
	if (*seen)
		return fail_at(p, p->section_title, "a second section", "");
	*seen = true;
	p->boot = &p->out->service_vm;
	p->section = section;
	return true;
}

/* `[title]`, with the brackets still on. */
static bool start_section(struct parser *p, struct slice header)
{
	struct slice title;
	struct slice kind;

	if (!end_section(p))
		return false;
	if (header.at[header.len - 1] != ']')
		return fail_at(p, header, "the section header", " does not end with ]");
	p->section_title = slice_trim((struct slice){header.at + 1, header.len - 2});
	p->section_at = place_of(p, header);
	p->keys_seen = 0;
	title = p->section_title;
	if (slice_equals(title, hypervisor_section.name))
		return start_single(p, &hypervisor_section, &p->hypervisor_seen);
	if (slice_equals(title, service_vm_section.name))
		return start_single(p, &service_vm_section, &p->service_vm_seen);
	kind = slice_take_word(&title);
	if (slice_equals(kind, vm_section.name))
		return start_vm(p, slice_trim(title));
	return fail_at(p, p->section_title.len > 0 ? p->section_title : header, "unknown section",
		       ": use [hypervisor], [service-vm] or [vm NAME]");
}

/* ---- lines ---- */

static bool set_key(struct parser *p, struct slice name, struct slice value)
{
	uint32_t i;

	for (i = 0; i < p->section->num_keys; i++) {
		if (!slice_equals(name, p->section->keys[i].name))
			continue;
		if ((p->keys_seen & 1u << i) != 0)
			return fail_at(p, name, "the key", " was given before in this section");
		p->keys_seen |= 1u << i;
		if (value.len == 0)
			return fail_at(p, name, "the key", " has no value");
		return p->section->keys[i].set(p, value);
	}
	fail_at(p, name, "unknown key", " in [");
	append(p->error, p->section->name);
	append(p->error, "]");
	return false;
}

/* Where the comment of a line starts, or its length: # at the start or behind a blank. */
static size_t comment_start(struct slice line)
{
	size_t i;

	for (i = 0; i < line.len; i++) {
		if (line.at[i] == '#' && (i == 0 || slice_is_blank(line.at[i - 1])))
			return i;
	}
	return line.len;
}

/* Control characters mean that this is no text file (UTF-16 shows up here as well, by its zero
 * bytes). */
static bool check_characters(struct parser *p, struct slice line)
{
	size_t i;

	for (i = 0; i < line.len; i++) {
		unsigned char c = (unsigned char)line.at[i];

		if ((c < ' ' && !slice_is_blank(line.at[i])) || c == 0x7f)
			return fail_at(
				p, (struct slice){line.at + i, 0},
				"a control character: the file must be plain text (ASCII or UTF-8)",
				"");
	}
	return true;
}

static bool parse_line(struct parser *p, struct slice line)
{
	struct slice name;
	struct slice value;

	if (!check_characters(p, line))
		return false;
	line.len = comment_start(line);
	line = slice_trim(line);
	if (line.len == 0)
		return true;
	if (line.at[0] == '[')
		return start_section(p, line);
	value = line;
	name = slice_take_item(&value, '=');
	if (value.at == NULL)
		return fail_at(p, line, "not a section and not a line `key = value`:", "");
	if (name.len == 0)
		return fail_at(p, line, "no key before the = of", "");
	if (p->section == NULL)
		return fail_at(p, name, "the key", " stands before the first section");
	return set_key(p, name, slice_trim(value));
}

/* memset by another name: this file is linked where there is none. */
static void clear(void *at, size_t len)
{
	volatile char *bytes = at;

	while (len > 0)
		bytes[--len] = 0;
}

static void set_defaults(struct scenario *scenario)
{
	clear(scenario, sizeof(*scenario));
	scenario->serial.enabled = true;
	scenario->serial.base = DEFAULT_SERIAL_PORT;
	scenario->serial.baud = DEFAULT_BAUD;
	scenario->screen = true;
	scenario->loglevel = SCENARIO_LOG_INFO;
}

/* A byte order mark, as some editors put before UTF-8. */
static struct slice skip_bom(struct slice s)
{
	static const char bom[3] = {'\xef', '\xbb', '\xbf'};

	if (s.len >= 3 && s.at[0] == bom[0] && s.at[1] == bom[1] && s.at[2] == bom[2])
		return (struct slice){s.at + 3, s.len - 3};
	return s;
}

static struct slice take_line(struct parser *p)
{
	struct slice line = {p->rest.at, 0};

	while (line.len < p->rest.len && line.at[line.len] != '\n')
		line.len++;
	p->rest.at += line.len + (line.len < p->rest.len ? 1 : 0);
	p->rest.len -= line.len + (line.len < p->rest.len ? 1 : 0);
	p->line_start = line.at;
	p->line++;
	return line;
}

bool scenario_parse(const char *text, size_t len, struct scenario *scenario,
		    struct scenario_error *error)
{
	struct parser p = {
		.rest = skip_bom((struct slice){text, len}), .out = scenario, .error = error};

	set_defaults(scenario);
	while (p.rest.len > 0) {
		if (!parse_line(&p, take_line(&p)))
			return false;
	}
	if (!end_section(&p))
		return false;
	if (!p.service_vm_seen) {
		error_start(error, (struct scenario_place){p.line + 1, 1});
		append(error, "the file ends without a [service-vm] section");
		return false;
	}
	return true;
}

bool scenario_is_supported(const struct scenario *scenario, struct scenario_error *error)
{
	if (scenario->num_vms == 0)
		return true;
	error_start(error, scenario->vms[0].at);
	append(error, "[vm ");
	append(error, scenario->vms[0].name);
	append(error, "]: VMs that start with the machine are not built yet");
	return false;
}
