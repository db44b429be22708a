/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Control from outside and from beside: the JSON API over its socket, the watchdog, pvpanic, an input device. The loop
 * runs in a thread, as in the program. It is over the limit of 600 lines, since all of it shares one fake client.
 */
#include "unit.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/input.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include "api.h"
#include "bus/pci.h"
#include "config.h"
#include "dev/device.h"
#include "dm/fake_evdev.h"
#include "dm/fake_guest_blk.h"
#include "dm/fake_virtio_hsm.h"
#include "dm/patience.h"
#include "loop.h"
#include "vm.h"
#include "vm_event.h"

#define SECTORS	2048u

static struct guest_dev g;
static pthread_t thread;
static char disk[64], sock[64];
static _Atomic int requested;
static _Atomic unsigned int asked;
static int client = -1;

void vm_request(enum vm_request what)
{
	requested = (int)what;
}

/* A hypervisor that can, one that cannot, one whose guest is dead. */
static int pause_error, resume_error;
static bool paused;

int vm_pause(void)
{
	paused = pause_error == 0;
	return pause_error;
}

int vm_resume(void)
{
	paused = paused && resume_error != 0;
	return resume_error;
}

bool vm_is_paused(void)
{
	return paused;
}

void vm_event_ask_poweroff(void)
{
	asked++;
}

static void *run_loop(void *arg)
{
	(void)arg;
	assert_int_equal(loop_run(), 0);
	return NULL;
}

static int setup(void **state)
{
	int fd;

	(void)state;
	fake_hsm_reset();
	guest_memory_make();
	requested = VM_NONE;
	asked = 0;
	strcpy(disk, "/tmp/control-disk-XXXXXX");
	fd = mkstemp(disk);
	assert_int_equal(ftruncate(fd, SECTORS * 512), 0);
	close(fd);
	snprintf(sock, sizeof(sock), "/tmp/control-%d.sock", (int)getpid());
	config.api_socket = sock;
	config.vm_name = "vm1";
	assert_int_equal(loop_init(), 0);
	assert_int_equal(api_init(), 0);
	assert_int_equal(pthread_create(&thread, NULL, run_loop, NULL), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	loop_stop();
	pthread_join(thread, NULL);
	if (client >= 0)
		close(client);
	client = -1;
	guest_dev_drop(&g);
	api_exit();
	loop_exit();
	unlink(disk);
	assert_int_equal(access(sock, F_OK), -1);
	guest_memory_drop();
	return 0;
}

/* --- the socket -------------------------------------------------------------------------------------- */

static int connect_client(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = PATIENCE };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(a.sun_path, sock);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

/* The next line; NULL at the end. The caller frees it. */
static cJSON *next_object(int fd)
{
	char line[8192];
	size_t n = 0;

	while (n < sizeof(line) && read(fd, line + n, 1) == 1 && line[n] != '\n')
		n++;
	return n ? cJSON_ParseWithLength(line, n) : NULL;
}

static void connect_and_greet(void)
{
	cJSON *o;

	client = connect_client();
	o = next_object(client);
	assert_int_equal(cJSON_GetObjectItem(cJSON_GetObjectItem(o, "acrn-dm"), "api")->valueint, 1);
	assert_string_equal(cJSON_GetObjectItem(cJSON_GetObjectItem(o, "acrn-dm"), "vm")->valuestring, "vm1");
	cJSON_Delete(o);
}

static cJSON *ask(const char *text)
{
	assert_int_equal(write(client, text, strlen(text)), strlen(text));
	assert_int_equal(write(client, "\n", 1), 1);
	return next_object(client);
}

/* "ok", or the errno's name. The text is static. */
static const char *result_of(const char *text)
{
	static char name[32];
	cJSON *o = ask(text);
	const cJSON *error = cJSON_GetObjectItem(o, "error");

	assert_non_null(o);
	assert_true(error || cJSON_IsObject(cJSON_GetObjectItem(o, "return")));
	snprintf(name, sizeof(name), "%s", error ? cJSON_GetObjectItem(error, "errno")->valuestring : "ok");
	assert_true(!error || *cJSON_GetObjectItem(error, "message")->valuestring);
	cJSON_Delete(o);
	return name;
}

#define EXPECT(text, result)	assert_string_equal(result_of(text), result)
#define COMMAND(name)		"{\"command\":\"" name "\"}"
#define CALL(name, arguments)	"{\"command\":\"" name "\",\"arguments\":" arguments "}"

static void socket_is_for_owner_and_group(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(stat(sock, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
}

static void status_tells_what_runs(void **state)
{
	cJSON *o, *r;

	(void)state;
	connect_and_greet();
	o = ask("{\"command\":\"status\",\"id\":[1,\"x\"]}");
	r = cJSON_GetObjectItem(o, "return");
	assert_string_equal(cJSON_GetObjectItem(r, "state")->valuestring, "running");
	assert_string_equal(cJSON_GetObjectItem(r, "name")->valuestring, "vm1");
	assert_int_equal(cJSON_GetObjectItem(r, "vcpus")->valueint, FAKE_VCPUS);
	assert_int_equal(cJSON_GetObjectItem(r, "memory")->valueint, 64 << 20);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(o, "id")), 2);
	cJSON_Delete(o);
}

static void commands_reach_the_vm(void **state)
{
	(void)state;
	connect_and_greet();
	EXPECT(COMMAND("reset"), "ok");
	assert_int_equal(requested, VM_RESET);
	EXPECT(COMMAND("stop"), "ok");
	assert_int_equal(asked, 1);
	EXPECT(CALL("stop", "{\"force\":true}"), "ok");
	assert_int_equal(requested, VM_POWEROFF);
}

static const char *state_told(void)
{
	static char text[16];
	cJSON *o = ask(COMMAND("status"));

	snprintf(text, sizeof(text), "%s",
		 cJSON_GetObjectItem(cJSON_GetObjectItem(o, "return"), "state")->valuestring);
	cJSON_Delete(o);
	return text;
}

static void a_vm_is_paused_and_goes_on(void **state)
{
	(void)state;
	connect_and_greet();
	EXPECT(COMMAND("pause"), "ok");
	assert_string_equal(state_told(), "paused");
	resume_error = -EPERM;
	EXPECT(COMMAND("resume"), "EPERM");
	assert_string_equal(state_told(), "paused");
	resume_error = 0;
	EXPECT(COMMAND("resume"), "ok");
	assert_string_equal(state_told(), "running");
	pause_error = -EOPNOTSUPP;
	EXPECT(COMMAND("pause"), "EOPNOTSUPP");
	assert_string_equal(state_told(), "running");
	pause_error = 0;
}

static const struct {
	const char *text, *error;
} bad[] = {
	{ "{", "EINVAL" }, { "[]", "EINVAL" }, { "7", "EINVAL" }, { "{}", "EINVAL" }, { "\"stop\"", "EINVAL" },
	{ "{\"command\":7}", "EINVAL" }, { COMMAND("dance"), "ENOSYS" }, { CALL("stop", "7"), "EINVAL" },
	{ CALL("stop", "{\"force\":7}"), "EINVAL" }, { COMMAND("block-resize"), "EINVAL" },
	{ CALL("block-resize", "{\"slot\":3.5}"), "EINVAL" },
	{ CALL("block-resize", "{\"slot\":99}"), "EINVAL" },
	{ CALL("block-attach", "{\"slot\":3}"), "EINVAL" }, { CALL("events", "{\"on\":1}"), "EINVAL" },
	{ "\xff\xfe", "EINVAL" },
};

static void nonsense_gets_a_sentence_and_harms_nothing(void **state)
{
	(void)state;
	connect_and_greet();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT(bad[i].text, bad[i].error);
	assert_int_equal(requested, VM_NONE);
	assert_int_equal(asked, 0);
	EXPECT(COMMAND("status"), "ok");
}

static void line_without_an_end_ends_that_client_alone(void **state)
{
	static char much[70000];
	int other;

	(void)state;
	connect_and_greet();
	other = connect_client();
	memset(much, '{', sizeof(much));
	assert_true(send(other, much, sizeof(much), MSG_NOSIGNAL) > 0);
	cJSON_Delete(next_object(other));	/* the greeting */
	assert_null(next_object(other));
	close(other);
	EXPECT(COMMAND("status"), "ok");
}

static void disks_are_attached_and_resized(void **state)
{
	char text[256];
	cJSON *o, *d;

	(void)state;
	assert_int_equal(guest_dev_make(&g, "virtio-blk", "nodisk", true, true), 0);
	guest_dev_start(&g, ~0ull, 1);
	connect_and_greet();
	snprintf(text, sizeof(text), CALL("block-attach", "{\"slot\":3,\"medium\":\"%s\"}"), disk);
	EXPECT(text, "ok");
	assert_int_equal(guest_dev_config(&g, 0, 8), SECTORS);
	EXPECT(text, "EBUSY");
	EXPECT(CALL("block-resize", "{\"slot\":3,\"bytes\":2097152}"), "ok");
	assert_int_equal(guest_dev_config(&g, 0, 8), 4096);
	EXPECT(CALL("block-resize", "{\"slot\":3,\"bytes\":100}"), "EINVAL");
	assert_int_equal(guest_blk_transfer(&g, 0, 0, guest_alloc(512, 512), 512), 0);
	o = ask(COMMAND("statistics"));
	d = cJSON_GetArrayItem(cJSON_GetObjectItem(cJSON_GetObjectItem(o, "return"), "devices"), 0);
	assert_string_equal(cJSON_GetObjectItem(d, "driver")->valuestring, "virtio-blk");
	assert_int_equal(cJSON_GetObjectItem(d, "reads")->valueint, 1);
	assert_int_equal(cJSON_GetObjectItem(d, "read_bytes")->valueint, 512);
	assert_int_equal(cJSON_GetObjectItem(d, "capacity")->valueint, 2097152);
	cJSON_Delete(o);
}

static void expect_event(const char *name)
{
	cJSON *o = next_object(client);

	assert_non_null(o);
	assert_string_equal(cJSON_GetObjectItem(o, "event")->valuestring, name);
	assert_true(cJSON_GetObjectItem(o, "time_ns")->valuedouble > 0);
	cJSON_Delete(o);
}

/* --- pvpanic ----------------------------------------------------------------------------------------- */

static const struct {
	const char *opts;
	enum vm_request then;
} how[] = {
	{ "", VM_NONE }, { "action=reset", VM_RESET }, { "action=poweroff", VM_POWEROFF },
};

static void panics_are_told_and_acted_on(void **state)
{
	uint64_t bar;

	(void)state;
	connect_and_greet();
	api_event("nobody-listens", NULL);
	EXPECT(COMMAND("events"), "ok");
	for (unsigned int i = 0; i < 3; i++) {
		requested = VM_NONE;
		assert_int_equal(guest_dev_make(&g, "pvpanic", how[i].opts, true, false), 0);
		assert_int_equal(pci_cfg_read(PCI_BDF(0, 3, 0), 0, 4), 0x00111b36);
		bar = pci_cfg_read(PCI_BDF(0, 3, 0), 0x10, 4) & ~15u;
		assert_int_equal(guest_load(bar, 1), 3);
		guest_store(bar, 1, 2);
		expect_event("crash-loaded");
		assert_int_equal(requested, VM_NONE);
		guest_store(bar, 1, 1);
		expect_event("panic");
		assert_int_equal(requested, how[i].then);
		guest_dev_drop(&g);
	}
	EXPECT(CALL("events", "{\"on\":false}"), "ok");
	api_event("unheard", NULL);
	EXPECT(COMMAND("status"), "ok");
	assert_true(guest_dev_make(&g, "pvpanic", "action=cry", true, false) < 0);
}

/* --- the watchdog ------------------------------------------------------------------------------------ */

#define WDT	PCI_BDF(0, 3, 0)

static uint64_t wdt_bar;

static void wdt_write(unsigned int off, unsigned int value)
{
	guest_store(wdt_bar + 12, 2, 0x80);
	guest_store(wdt_bar + 12, 2, 0x86);
	guest_store(wdt_bar + off, 4, value);
}

static void make_wdt(unsigned int ticks)
{
	assert_int_equal(guest_dev_make(&g, "wdt-i6300esb", "", true, false), 0);
	assert_int_equal(pci_cfg_read(WDT, 0, 4), 0x25ab8086);
	wdt_bar = pci_cfg_read(WDT, 0x10, 4) & ~15u;
	guest_store(wdt_bar, 4, 7);			/* locked: goes nowhere */
	assert_int_equal(guest_load(wdt_bar, 4), 0xfffff);
	wdt_write(0, ticks);
	wdt_write(4, ticks);
	assert_int_equal(guest_load(wdt_bar, 4), ticks);
	assert_int_equal(guest_load(wdt_bar + 4, 4), ticks);
}

/* When the timer that was set last ends, in ns; 0: it was stopped. The call is taken over here. */
static _Atomic uint64_t armed;

int timerfd_settime(int fd, int flags, const struct itimerspec *new, struct itimerspec *old)
{
	armed = (uint64_t)new->it_value.tv_sec * 1000000000u + (uint64_t)new->it_value.tv_nsec;
	return (int)syscall(SYS_timerfd_settime, fd, flags, new, old);
}

static void unfed_watchdog_resets_after_both_stages(void **state)
{
	uint64_t from;

	(void)state;
	make_wdt(102);		/* 100 ms a stage */
	from = loop_now_ns();
	pci_cfg_write(WDT, 0x68, 1, 2);
	assert_true(BECOMES(requested == VM_RESET));
	assert_true(loop_now_ns() - from >= 195000000u);
	assert_true(fake_line_is_low(16));	/* the first stage's interrupt */
	assert_int_equal(guest_load(wdt_bar + 8, 4), 1);
	guest_store(wdt_bar + 8, 4, 1);
	assert_false(fake_line_is_low(16));
	assert_int_equal(guest_load(wdt_bar + 12, 4), 0x200);
	device_reset_all();
	pci_cfg_write(WDT, 4, 2, 7);
	assert_int_equal(guest_load(wdt_bar + 12, 4), 0x200);	/* the next kernel learns why */
	wdt_write(12, 0x200);
	assert_int_equal(guest_load(wdt_bar + 12, 4), 0);
}

static void fed_watchdog_is_quiet(void **state)
{
	uint64_t last;

	(void)state;
	make_wdt(1023999);		/* 1000 s */
	pci_cfg_write(WDT, 0x68, 1, 2);
	for (unsigned int i = 0; i < 12; i++) {
		last = armed;
		assert_true(last > loop_now_ns());
		usleep(1000);
		wdt_write(12, 0x100);
		assert_true(armed >= last + 1000000u);	/* each time the end moves on */
	}
	pci_cfg_write(WDT, 0x68, 1, 0);
	assert_int_equal(armed, 0);
	assert_int_equal(requested, VM_NONE);
}

static void locked_watchdog_cannot_be_switched_off(void **state)
{
	(void)state;
	make_wdt(100);
	pci_cfg_write(WDT, 0x68, 1, 3);
	pci_cfg_write(WDT, 0x68, 1, 0);
	assert_int_equal(pci_cfg_read(WDT, 0x68, 1), 3);
	assert_true(BECOMES(requested == VM_RESET));
}

static void watchdog_that_may_not_reset_does_not(void **state)
{
	(void)state;
	make_wdt(50);
	pci_cfg_write(WDT, 0x60, 1, 0x23);
	pci_cfg_write(WDT, 0x68, 1, 2);
	assert_true(BECOMES(guest_load(wdt_bar + 12, 4) == 0x200));
	assert_int_equal(requested, VM_NONE);
	assert_false(fake_line_is_low(16));
	guest_dev_drop(&g);
	assert_true(guest_dev_make(&g, "wdt-i6300esb", "fast", true, false) < 0);
}

/* --- an input device --------------------------------------------------------------------------------- */

static unsigned int select_config(uint8_t select, uint8_t subsel)
{
	guest_dev_write_config(&g, 0, 1, select);
	guest_dev_write_config(&g, 1, 1, subsel);
	return (unsigned int)guest_dev_config(&g, 2, 1);
}

static void make_input(const char *opts)
{
	assert_int_equal(guest_dev_make(&g, "virtio-input", opts, true, true), 0);
	guest_dev_start(&g, ~0ull, 2);
}

static void input_device_describes_itself(void **state)
{
	(void)state;
	make_input("/dev/input/event0");
	assert_int_equal(pci_cfg_read(PCI_BDF(0, 3, 0), 0, 4), 0x10521af4);
	assert_int_equal(select_config(1, 0), 10);
	assert_int_equal(guest_dev_config(&g, 8, 4), 0x656b2061);	/* "a ke" */
	assert_int_equal(select_config(1, 1), 0);
	assert_int_equal(guest_dev_config(&g, 8, 8), 0);
	assert_int_equal(select_config(2, 0), 2);
	assert_int_equal(select_config(3, 0), 8);
	assert_int_equal(guest_dev_config(&g, 8, 8), 0x0001567812340003ull);
	assert_int_equal(select_config(0x11, 1), 128);
	assert_int_equal(select_config(0x11, 2), 0);
	assert_int_equal(select_config(0x12, 3), 20);
	assert_int_equal(select_config(0xee, 0xee), 0);
	guest_dev_drop(&g);
	close(fake_evdev_host);
	make_input("/dev/input/event0,my own");
	assert_int_equal(select_config(2, 0), 6);
	close(fake_evdev_host);
}

static void report(unsigned int events)
{
	struct input_event e[80] = { 0 };

	for (unsigned int i = 0; i < events; i++)
		e[i] = (struct input_event){ .type = EV_KEY, .code = (uint16_t)i, .value = 1 };
	e[events].type = EV_SYN;
	for (unsigned int i = 0; i <= events; i++)
		assert_int_equal(write(fake_evdev_host, &e[i], sizeof(e[0])), sizeof(e[0]));
}

static void reports_arrive_whole_or_not_at_all(void **state)
{
	struct vring_used_elem e;
	uint64_t at[4];

	(void)state;
	make_input("/dev/input/event0");
	for (unsigned int i = 0; i < 4; i++) {
		at[i] = guest_alloc(8, 8);
		ring_add(&g.ring[0], &(struct guest_seg){ at[i], 8 }, 0, 1);
	}
	guest_dev_kick(&g, 0);
	report(5);		/* no room for it */
	report(70);
	usleep(50000);
	assert_false(ring_has_used(&g.ring[0]));
	report(3);
	for (unsigned int i = 0; i < 4; i++) {
		assert_true(ring_wait(&g.ring[0], &e));
		assert_int_equal(e.len, 8);
		assert_int_equal(*(uint64_t *)guest_at(at[i]), i < 3 ? 1ull << 32 | i << 16 | EV_KEY : 0);
	}
	close(fake_evdev_host);
}

static void lamps_reach_the_host(void **state)
{
	uint64_t at = guest_alloc(8, 8);
	struct vring_used_elem e;
	struct input_event got;

	(void)state;
	make_input("/dev/input/event0");
	*(uint64_t *)guest_at(at) = 1ull << 32 | 2 << 16 | EV_LED;
	ring_add(&g.ring[1], &(struct guest_seg){ at, 8 }, 1, 0);
	guest_dev_kick(&g, 1);
	assert_true(ring_wait(&g.ring[1], &e));
	assert_int_equal(read(fake_evdev_host, &got, sizeof(got)), sizeof(got));
	assert_int_equal(got.type, EV_LED);
	assert_int_equal(got.code, 2);
	assert_int_equal(got.value, 1);
	close(fake_evdev_host);		/* unplugged: nothing hangs */
	ring_add(&g.ring[1], &(struct guest_seg){ at, 8 }, 1, 0);
	guest_dev_kick(&g, 1);
	assert_true(ring_wait(&g.ring[1], &e));
	guest_dev_drop(&g);
	assert_true(guest_dev_make(&g, "virtio-input", "", true, true) < 0);
	assert_true(guest_dev_make(&g, "virtio-input", "/nowhere", true, true) < 0);
}

/* --- polling ----------------------------------------------------------------------------------------- */

static void polled_queues_need_no_notification(void **state)
{
	(void)state;
	config.virtio_poll_ns = 1000000;
	for (unsigned int i = 0; i < 2; i++) {
		uint64_t status, at = guest_alloc(16, 16);
		struct guest_seg segs[2] = { { at, 16 }, { guest_alloc(1, 1), 1 } };
		struct vring_used_elem e;

		assert_int_equal(guest_dev_make(&g, "virtio-blk", disk, true, true), 0);
		g.packed = i;
		guest_dev_start(&g, ~0ull, 1);
		*(uint32_t *)guest_at(at) = 8;		/* the disk's id */
		status = segs[1].addr;
		*(uint8_t *)guest_at(status) = 0xff;
		ring_add(&g.ring[0], segs, 1, 1);
		assert_true(ring_wait(&g.ring[0], &e));
		assert_int_equal(*(uint8_t *)guest_at(status), 0);
		if (i)	/* the driver was told so */
			assert_int_equal(((struct vring_packed_event *)guest_at(g.ring[0].setup.used))->flags, 1);
		guest_dev_reset(&g);
		guest_dev_drop(&g);	/* cve_2021_36144: no timer is left that would look at it */
		usleep(5000);
	}
	config.virtio_poll_ns = 0;
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		TEST(socket_is_for_owner_and_group),
		TEST(status_tells_what_runs),
		TEST(commands_reach_the_vm),
		TEST(a_vm_is_paused_and_goes_on),
		TEST(nonsense_gets_a_sentence_and_harms_nothing),
		TEST(line_without_an_end_ends_that_client_alone),
		TEST(disks_are_attached_and_resized),
		TEST(panics_are_told_and_acted_on),
		TEST(unfed_watchdog_resets_after_both_stages),
		TEST(fed_watchdog_is_quiet),
		TEST(locked_watchdog_cannot_be_switched_off),
		TEST(watchdog_that_may_not_reset_does_not),
		TEST(input_device_describes_itself),
		TEST(reports_arrive_whole_or_not_at_all),
		TEST(lamps_reach_the_host),
		TEST(polled_queues_need_no_notification),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
