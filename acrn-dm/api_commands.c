/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The commands of --api-socket, by a table. A command takes its arguments out of an object and puts its results into
 * another; what it returns is 0 or -errno, and *why says it in words where errno does not.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "api.h"
#include "api_internal.h"
#include "bus/pci.h"
#include "config.h"
#include "dev/device.h"
#include "loop.h"
#include "memory.h"
#include "vm.h"
#include "vm_event.h"

struct call {
	struct api_client *client;
	const cJSON *arguments;		/* an object, or NULL */
	cJSON *result;			/* an empty object */
	const char *why;
};

static bool get_number(const struct call *c, const char *name, double max, double *value)
{
	const cJSON *n = cJSON_GetObjectItemCaseSensitive(c->arguments, name);

	if (!cJSON_IsNumber(n) || n->valuedouble < 0 || n->valuedouble > max || n->valuedouble != floor(n->valuedouble))
		return false;
	*value = n->valuedouble;
	return true;
}

/* The device that "slot" and "function" name. */
static struct dm_device *get_device(struct call *c)
{
	double slot, fn = 0;
	struct pci_func *f;

	if (!get_number(c, "slot", 31, &slot) ||
	    (cJSON_HasObjectItem(c->arguments, "function") && !get_number(c, "function", 7, &fn))) {
		c->why = "\"slot\" is not a number from 0 to 31, or \"function\" not one from 0 to 7";
		return NULL;
	}
	f = pci_func_find(0, (unsigned int)slot, (unsigned int)fn);
	if (!f)
		c->why = "there is no such function";
	return f ? device_of(f) : NULL;
}

static int status(struct call *c)
{
	cJSON_AddStringToObject(c->result, "state", vm_is_paused() ? "paused" : "running");
	cJSON_AddStringToObject(c->result, "name", config.vm_name);
	cJSON_AddNumberToObject(c->result, "vcpus", vm_vcpu_count());
	cJSON_AddNumberToObject(c->result, "memory", (double)(mem_lowmem() + mem_highmem()));
	cJSON_AddNumberToObject(c->result, "time_ns", (double)loop_now_ns());
	return 0;
}

static int pause_vm(struct call *c)
{
	int err = vm_pause();

	if (err == -EOPNOTSUPP)
		c->why = "this hypervisor cannot let a paused VM run on";
	else if (err)
		c->why = "the hypervisor refuses to pause the VM";
	return err;
}

static int resume_vm(struct call *c)
{
	int err = vm_resume();

	if (err)
		c->why = "the VM cannot go on: its guest came to an end before; reset it";
	return err;
}

static int stop(struct call *c)
{
	const cJSON *force = cJSON_GetObjectItemCaseSensitive(c->arguments, "force");

	if (force && !cJSON_IsBool(force)) {
		c->why = "\"force\" is neither true nor false";
		return -EINVAL;
	}
	if (cJSON_IsTrue(force))
		vm_request(VM_POWEROFF);
	else
		vm_event_ask_poweroff();
	return 0;
}

static int reset(struct call *c)
{
	(void)c;
	vm_request(VM_RESET);
	return 0;
}

static int events(struct call *c)
{
	const cJSON *on = cJSON_GetObjectItemCaseSensitive(c->arguments, "on");

	if (on && !cJSON_IsBool(on)) {
		c->why = "\"on\" is neither true nor false";
		return -EINVAL;
	}
	c->client->wants_events = !on || cJSON_IsTrue(on);
	return 0;
}

static int attach(struct call *c)
{
	const cJSON *medium = cJSON_GetObjectItemCaseSensitive(c->arguments, "medium");
	struct dm_device *d = get_device(c);

	if (!d)
		return -EINVAL;
	if (!cJSON_IsString(medium) || !*medium->valuestring) {
		c->why = "\"medium\" is not the text path[,options]";
		return -EINVAL;
	}
	return d->class->rescan ? d->class->rescan(d, medium->valuestring) : -EOPNOTSUPP;
}

static int resize(struct call *c)
{
	struct dm_device *d = get_device(c);
	double bytes = 0;

	if (!d)
		return -EINVAL;
	if (cJSON_HasObjectItem(c->arguments, "bytes") && !get_number(c, "bytes", 9e15, &bytes)) {
		c->why = "\"bytes\" is not a size";
		return -EINVAL;
	}
	return d->class->resize ? d->class->resize(d, (uint64_t)bytes) : -EOPNOTSUPP;
}

static int balloon(struct call *c)
{
	struct dm_device *d = device_find("virtio-balloon");
	double bytes, most = (double)(mem_lowmem() + mem_highmem());

	if (!d) {
		c->why = "the VM has no virtio-balloon";
		return -ENODEV;
	}
	if (!get_number(c, "bytes", most, &bytes)) {
		c->why = "\"bytes\" is not a size, or more than the VM's memory";
		return -EINVAL;
	}
	return d->class->balloon(d, (uint64_t)bytes);
}

static void add_figure(void *to, const char *name, uint64_t value)
{
	cJSON_AddNumberToObject(to, name, (double)value);
}

static void add_device(struct pci_func *f, void *arg)
{
	struct dm_device *d = device_of(f);
	cJSON *o = d ? cJSON_CreateObject() : NULL;

	if (!o)
		return;
	cJSON_AddNumberToObject(o, "slot", f->dev);
	cJSON_AddNumberToObject(o, "function", f->fn);
	cJSON_AddStringToObject(o, "driver", d->class->name);
	if (d->class->statistics)
		d->class->statistics(d, add_figure, o);
	cJSON_AddItemToArray(arg, o);
}

static int statistics(struct call *c)
{
	cJSON *list = cJSON_AddArrayToObject(c->result, "devices");

	if (!list)
		return -ENOMEM;
	pci_for_each(add_device, list);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(struct call *c);
} commands[] = {
	{ "status", status },
	{ "pause", pause_vm },
	{ "resume", resume_vm },
	{ "stop", stop },
	{ "reset", reset },
	{ "statistics", statistics },
	{ "block-attach", attach },
	{ "block-resize", resize },
	{ "balloon", balloon },
	{ "events", events },
};

static int run(struct call *c, const cJSON *request)
{
	const cJSON *command = cJSON_GetObjectItemCaseSensitive(request, "command");

	c->arguments = cJSON_GetObjectItemCaseSensitive(request, "arguments");
	if (!cJSON_IsObject(request) || !cJSON_IsString(command) || (c->arguments && !cJSON_IsObject(c->arguments))) {
		c->why = "a request is {\"command\": TEXT, \"arguments\": {}, \"id\": ANY} on a line of its own";
		return -EINVAL;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, command->valuestring) == 0)
			return commands[i].run(c);
	c->why = "there is no such command";
	return -ENOSYS;
}

static void add_error(cJSON *answer, int err, const char *why)
{
	cJSON *e = cJSON_AddObjectToObject(answer, "error");

	cJSON_AddStringToObject(e, "errno", strerrorname_np(-err));
	cJSON_AddStringToObject(e, "message", why ? why : strerror(-err));
}

cJSON *api_answer(struct api_client *client, const cJSON *request)
{
	const cJSON *id = cJSON_GetObjectItemCaseSensitive(request, "id");
	cJSON *answer = cJSON_CreateObject();
	struct call c = { .client = client, .result = cJSON_CreateObject() };
	int err = answer && c.result ? run(&c, request) : -ENOMEM;

	if (id)
		cJSON_AddItemToObject(answer, "id", cJSON_Duplicate(id, true));
	if (err) {
		cJSON_Delete(c.result);
		add_error(answer, err, c.why);
	} else {
		cJSON_AddItemToObject(answer, "return", c.result);
	}
	return answer;
}

cJSON *api_greeting(void)
{
	cJSON *o = cJSON_CreateObject();
	cJSON *dm = cJSON_AddObjectToObject(o, "acrn-dm");

	cJSON_AddNumberToObject(dm, "api", API_VERSION);
	cJSON_AddStringToObject(dm, "version", DM_VERSION);
	cJSON_AddStringToObject(dm, "vm", config.vm_name);
	return o;
}
