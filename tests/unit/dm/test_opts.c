/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line: every option of the original is known, and a wrong value never starts a VM. */
#include "unit.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "dev/device.h"
#include "opts.h"

static struct dm_config cfg;

static unsigned int helped;

void device_print_help(void)
{
	helped++;
}

bool device_print_one(const char *name)
{
	return strcmp(name, "virtio-blk") == 0;
}

/* The messages of a test are not what is tested; cmocka's own come outside of it. */
static int real_stderr = -1;

static void hide_messages(bool hide)
{
	int null;

	fflush(stderr);
	if (!hide) {
		dup2(real_stderr, STDERR_FILENO);
		return;
	}
	if (real_stderr < 0)
		real_stderr = dup(STDERR_FILENO);
	null = open("/dev/null", O_WRONLY);
	dup2(null, STDERR_FILENO);
	close(null);
}

static int setup(void **state)
{
	(void)state;
	hide_messages(true);
	memset(&cfg, 0, sizeof(cfg));
	cfg.bootargs = "";
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	hide_messages(false);
	opts_free(&cfg);
	return 0;
}

#define MAX_WORDS 16
static int parse(const char *line)
{
	static char text[512];
	char *argv[MAX_WORDS + 1] = { (char *)"acrn-dm" }, *save = NULL;
	int argc = 1;

	snprintf(text, sizeof(text), "%s", line);
	for (char *w = strtok_r(text, " ", &save); w && argc < MAX_WORDS; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	return opts_parse(argc, argv, &cfg);
}

/* 0 bytes: refused */
static const struct {
	const char *text;
	uint64_t bytes;
} sizes[] = {
	{ "512M", 512ull << 20 },
	{ "2G", 2ull << 30 },
	{ "1g", 1ull << 30 },
	{ "262144K", 256ull << 20 },
	{ "256", 256ull << 20 },
	{ "127M", 0 },
	{ "129M", 0 },
	{ "", 0 },
	{ "M", 0 },
	{ "-512M", 0 },
	{ "512MB", 0 },
	{ "512T", 0 },
	{ "99999999999999G", 0 },
	{ "1000G", 0 },
	{ " 512M", 0 },
};

static void sizes_are_read(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint64_t bytes = 0;
		int err = opts_parse_memory(sizes[i].text, &bytes);

		assert_int_equal(err != 0, sizes[i].bytes == 0);
		if (!err)
			assert_int_equal(bytes, sizes[i].bytes);
	}
}

static void slots_are_read(void **state)
{
	(void)state;
	assert_int_equal(opts_parse_slot("3,virtio-blk,/a,b=1,ro", &cfg), 0);
	assert_int_equal(opts_parse_slot("0:4:1,virtio-net,tap=tap0", &cfg), 0);
	assert_int_equal(opts_parse_slot("5/2,virtio-blk,b,/boot.img", &cfg), 0);
	assert_int_equal(opts_parse_slot("6.0,virtio-rnd", &cfg), 0);
	assert_int_equal(cfg.slot_count, 4);
	assert_string_equal(cfg.slot[0].driver, "virtio-blk");
	assert_string_equal(cfg.slot[0].opts, "/a,b=1,ro");
	assert_int_equal(cfg.slot[1].dev, 4);
	assert_int_equal(cfg.slot[1].fn, 1);
	assert_string_equal(cfg.slot[2].opts, "/boot.img");
	assert_string_equal(cfg.slot[3].opts, "");
}

static void bad_slots_are_refused(void **state)
{
	static const char *const bad[] = { "", "3", "3,", ",virtio-blk", "32,virtio-blk", "3:8,virtio-blk", "1:2:3:4,x",
					   "1:3:0,virtio-blk", "x,virtio-blk", "3;virtio-blk",
					   "99999999999,virtio-blk" };

	(void)state;
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_not_equal(opts_parse_slot(bad[i], &cfg), 0);
	assert_int_equal(opts_parse_slot("3,virtio-blk,/a", &cfg), 0);
	assert_int_not_equal(opts_parse_slot("0:3:0,virtio-net,tap=a", &cfg), 0);
	assert_int_equal(cfg.slot_count, 1);
}

static void obsolete_drivers_are_ignored(void **state)
{
	(void)state;
	assert_int_equal(opts_parse_slot("7,npk,8/0", &cfg), 0);
	assert_int_equal(cfg.slot_count, 0);
}

static void serial_ports_are_read(void **state)
{
	(void)state;
	assert_int_equal(opts_parse_lpc("com1,stdio", &cfg), 0);
	assert_int_equal(opts_parse_lpc("COM2,tcp:4000", &cfg), 0);
	assert_int_equal(opts_parse_lpc("com5,/dev/ttyS4,0x9100,11", &cfg), 0);
	assert_int_equal(cfg.uart[0].port, 0x3f8);
	assert_int_equal(cfg.uart[1].irq, 3);
	assert_int_equal(cfg.uart[4].port, 0x9100);
	assert_int_equal(cfg.uart[4].irq, 11);
	assert_string_equal(cfg.uart[4].backend, "/dev/ttyS4");
	assert_int_not_equal(opts_parse_lpc("com1,pty", &cfg), 0);
	assert_int_not_equal(opts_parse_lpc("com6,pty", &cfg), 0);
	assert_int_not_equal(opts_parse_lpc("com3", &cfg), 0);
	assert_int_not_equal(opts_parse_lpc("com3,", &cfg), 0);
}

static void affinity_is_read(void **state)
{
	(void)state;
	assert_int_equal(opts_parse_affinity("1,3", &cfg), 0);
	assert_int_equal(cfg.cpu_apicid_count, 2);
	assert_int_equal(cfg.cpu_apicids[1], 3);
	assert_int_not_equal(opts_parse_affinity("1,", &cfg), 0);
	assert_int_not_equal(opts_parse_affinity("1,1", &cfg), 0);
	assert_int_not_equal(opts_parse_affinity("a", &cfg), 0);
}

static void shortest_command_line_is_enough(void **state)
{
	(void)state;
	assert_int_equal(parse("-m 512M -k vmlinuz -r initrd -B console=ttyS0 vm1"), OPTS_RUN);
	assert_string_equal(cfg.vm_name, "vm1");
	assert_int_equal(cfg.slot_count, 2);
	assert_string_equal(cfg.slot[0].driver, "hostbridge");
	assert_string_equal(cfg.slot[1].driver, "lpc");
	assert_true(cfg.uart[0].used);
	assert_string_equal(cfg.uart[0].backend, "stdio");
}

static void upstream_command_line_is_accepted(void **state)
{
	(void)state;
	/* no name */
	assert_int_equal(parse("-A -m 1024M -s 0:0,hostbridge -s 1:0,lpc -s 3,virtio-blk,/i --mac_seed X -k k"), 1);
	opts_free(&cfg);
	cfg.bootargs = "";
	assert_int_equal(parse("vm1 -A -Y -m 1024M -s 1:0,lpc -s 5,virtio-console,@stdio:p --iasl /x -k k"), OPTS_RUN);
	assert_false(cfg.uart[0].used);		/* the terminal is taken */
}

static void obsolete_words_change_nothing(void **state)
{
	struct dm_config plain;

	(void)state;
	assert_int_equal(parse("-k k vm"), OPTS_RUN);
	plain = cfg;
	for (unsigned int i = 0; i < 2; i++) {
		opts_free(&cfg);
		cfg.bootargs = "";
		assert_int_equal(parse(i ? "-A -Y -i x -G x -U x -k k vm" :
				       "--mac_seed x --part_info x --vsbl x --iasl x -k k vm"), OPTS_RUN);
		assert_int_equal(cfg.memory, plain.memory);
		assert_int_equal(cfg.slot_count, plain.slot_count);
		assert_memory_equal(cfg.uuid, plain.uuid, sizeof(cfg.uuid));
	}
}

static void words_land_where_they_belong(void **state)
{
	(void)state;
	assert_int_equal(parse("--kernel k --ramdisk r --bootargs b --windows --virtio_msi --cmd_monitor m vm"),
			 OPTS_RUN);
	assert_string_equal(cfg.kernel, "k");
	assert_string_equal(cfg.initrd, "r");
	assert_string_equal(cfg.bootargs, "b");
	assert_true(cfg.windows && cfg.virtio_msi);
	assert_string_equal(cfg.cmd_monitor, "m");
	opts_free(&cfg);
	cfg.bootargs = "";
	assert_int_equal(parse("--elf_file e --pm_notify_channel power_button --debugexit --lpc com2,null vm"),
			 OPTS_RUN);
	assert_string_equal(cfg.elf, "e");
	assert_true(cfg.debugexit);
	assert_string_equal(cfg.uart[1].backend, "null");
	opts_free(&cfg);
	cfg.bootargs = "";
	assert_int_equal(parse("--pm_notify_channel ioc -k k vm"), 1);
}

static void what_is_not_built_is_refused(void **state)
{
	static const char *const lines[] = { "--enable_trusty v", "--vtpm2 s v", "--ssram x v",
					     "--acpidev_pt X v", "--intr_monitor 1,1,1,1 v",
					     "--enable_trusty v", "--pm_by_vuart pty,x v" };

	(void)state;
	for (unsigned int i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(parse(lines[i]), 1);
}

static void device_memory_is_read(void **state)
{
	static const char *const bad[] = {
		"fed40000", "fed40000,", "x,1000", "fed40010,1000", "fed40000,10", "fed40000,0", "fed40000,1000,1000",
		"fffffffffffff000,2000", "1000000000,10000000", "11111111111111111,1000",
		"c0000000,8000000 --mmiodev_pt d0000000,7000000",
		"1000,1000 --mmiodev_pt 2000,1000 --mmiodev_pt 3000,1000",
	};
	char line[128];

	(void)state;
	assert_int_equal(parse("-k k --mmiodev_pt fed40000,5000 --mmiodev_pt 0xc0000000,1000 v"), OPTS_RUN);
	assert_int_equal(cfg.mmio_count, 2);
	assert_int_equal(cfg.mmio[0].base, 0xfed40000);
	assert_int_equal(cfg.mmio[0].size, 0x5000);
	assert_int_equal(cfg.mmio[1].base, 0xc0000000);
	for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		opts_free(&cfg);
		snprintf(line, sizeof(line), "-k k --mmiodev_pt %s v", bad[i]);
		assert_int_equal(parse(line), OPTS_EXIT_USAGE);
	}
}

static void rtvm_has_its_cpus_alone(void **state)
{
	(void)state;
	assert_int_equal(parse("-k k --rtvm --cpu_affinity 1,3 v"), OPTS_RUN);
	assert_true(cfg.rtvm);
	opts_free(&cfg);
	assert_int_equal(parse("-k k --rtvm v"), 1);
	opts_free(&cfg);
	assert_int_equal(parse("-k k --lapic_pt --rtvm --cpu_affinity 1 v"), 1);
	opts_free(&cfg);
	assert_int_equal(parse("-k k --lapic_pt v"), OPTS_RUN);
	assert_false(cfg.rtvm);
}

static void exit_codes_are_as_documented(void **state)
{
	(void)state;
	assert_int_equal(parse("-h"), 0);
	assert_int_equal(parse("-v"), 0);
	assert_int_equal(parse("--nonsense"), 1);
	assert_int_equal(parse("-m 1M -k k v"), OPTS_EXIT_USAGE);
	assert_int_equal(parse("-s x -k k v"), 1);
	assert_int_equal(parse("-k k"), 1);
	opts_free(&cfg);
	assert_int_equal(parse("-m 512M v"), 1);
	opts_free(&cfg);
	assert_int_equal(parse("-k k a_name_of_sixteen"), 1);
}

static void firmware_is_read(void **state)
{
	(void)state;
	assert_int_equal(parse("--ovmf code=/a,vars=/b vm"), OPTS_RUN);
	assert_string_equal(cfg.ovmf_code, "/a");
	assert_string_equal(cfg.ovmf_vars, "/b");
	assert_false(cfg.ovmf_write);
	assert_int_equal(cfg.machine, MACHINE_Q35);
	opts_free(&cfg);
	cfg.bootargs = "";
	assert_int_equal(parse("--ovmf w,/usr/share/acrn/bios/OVMF.fd --machine acrn vm"), OPTS_RUN);
	assert_string_equal(cfg.ovmf_code, "/usr/share/acrn/bios/OVMF.fd");
	assert_null(cfg.ovmf_vars);
	assert_true(cfg.ovmf_write);
	assert_int_equal(cfg.machine, MACHINE_ACRN);
}

static void bad_firmware_is_refused(void **state)
{
	static const char *const lines[] = { "--ovmf code=/a v", "--ovmf vars=/b v", "--ovmf code=/a,vars=/b,x v",
					     "--ovmf w, v", "--ovmf code=,vars=/b v", "--ovmf a,b v",
					     "--machine q35 -k k v",
					     "--ovmf f --machine acrn -k k v", "--ovmf f -s 0,amd_hostbridge v",
					     "--ovmf f -s 31,virtio-blk,d v" };

	(void)state;
	for (unsigned int i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		assert_int_equal(parse(lines[i]), 1);
		opts_free(&cfg);
		cfg.bootargs = "";
	}
	assert_int_equal(parse("--machine pc -k k v"), OPTS_EXIT_USAGE);
}

/* Firmware looks for the ISA bridge at 00:1f.0, whatever the command line was written for. */
static void the_isa_bridge_of_q35_has_its_place(void **state)
{
	(void)state;
	assert_int_equal(parse("--ovmf f -s 0:0,hostbridge -s 1:0,lpc -s 3,virtio-blk,b,/d vm"), OPTS_RUN);
	assert_string_equal(cfg.slot[1].driver, "lpc");
	assert_int_equal(cfg.slot[1].dev, 31);
	assert_true(cfg.slot[2].boot);
	assert_string_equal(cfg.slot[2].opts, "/d");
}

static void an_identity_follows_the_name(void **state)
{
	uint8_t first[16];

	(void)state;
	assert_int_equal(parse("-k k vm"), OPTS_RUN);
	memcpy(first, cfg.uuid, 16);
	assert_int_equal(first[6] >> 4, 5);
	opts_free(&cfg);
	cfg.bootargs = "";
	assert_int_equal(parse("-k k vm2"), OPTS_RUN);
	assert_memory_not_equal(first, cfg.uuid, 16);
	opts_free(&cfg);
	cfg.bootargs = "";
	assert_int_equal(parse("--uuid 00112233-4455-6677-8899-aabbccddeeff -k k vm"), OPTS_RUN);
	assert_memory_equal(cfg.uuid, "\x00\x11\x22\x33\x44\x55", 6);
	opts_free(&cfg);
	assert_int_equal(parse("--uuid 0011 -k k vm"), OPTS_EXIT_USAGE);
	assert_int_equal(parse("--uuid 00000000-0000-0000-0000-000000000000 -k k vm"), OPTS_EXIT_USAGE);
}

static void questions_are_answered(void **state)
{
	(void)state;
	helped = 0;
	assert_int_equal(parse("-s help"), 0);
	assert_int_equal(helped, 1);
	assert_int_equal(parse("-s virtio-blk,help"), 0);
	assert_int_equal(parse("-s nothing,help"), 1);
}

/* A file of that text; the exit code of a command line with it. */
static int parse_file(const char *text, const char *more)
{
	char path[] = "/tmp/opts-XXXXXX", line[256];
	int fd = mkstemp(path), ret;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	snprintf(line, sizeof(line), "--config %s %s", path, more);
	ret = parse(line);
	unlink(path);
	return ret;
}

static void a_file_gives_options(void **state)
{
	(void)state;
	assert_int_equal(parse_file("# a VM\n\nname = vm1\n kernel=/boot/vmlinuz \nmemsize = 512M\ndebugexit\n"
				    "pci_slot = 3,virtio-blk,/a=b,ro\npci_slot = 4,virtio-rnd\n", "-m 1G"), OPTS_RUN);
	assert_string_equal(cfg.vm_name, "vm1");
	assert_string_equal(cfg.kernel, "/boot/vmlinuz");
	assert_string_equal(cfg.slot[0].opts, "/a=b,ro");
	assert_int_equal(cfg.memory, 1ull << 30);	/* what comes later wins */
	assert_true(cfg.debugexit);
}

static void a_bad_file_is_refused(void **state)
{
	static const char *const texts[] = { "nothing = 1\n", "memsize\n", "debugexit = 1\n", "memsize = 1\n",
					     "config = /x\n", "help\n", "k = /a\n" };

	(void)state;
	for (unsigned int i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(parse_file(texts[i], "-k k v"), 1);
		opts_free(&cfg);
		cfg.bootargs = "";
	}
	assert_int_equal(parse("--config /nonexistent v"), 1);
}

static void polling_has_an_interval(void **state)
{
	(void)state;
	assert_int_equal(parse("--virtio_poll 1000000 -k k vm"), OPTS_RUN);
	assert_int_equal(cfg.virtio_poll_ns, 1000000);
	opts_free(&cfg);
	cfg.bootargs = "";
	assert_int_equal(parse("--virtio_poll 0 -k k vm"), OPTS_EXIT_USAGE);
	assert_int_equal(parse("--virtio_poll 10000001 -k k vm"), OPTS_EXIT_USAGE);
	assert_int_equal(parse("--virtio_poll 5us -k k vm"), OPTS_EXIT_USAGE);
}

static void api_socket_is_a_path(void **state)
{
	(void)state;
	assert_int_equal(parse("--api-socket /run/x -k k vm"), OPTS_RUN);
	assert_string_equal(cfg.api_socket, "/run/x");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sizes_are_read),
		TEST(api_socket_is_a_path),
		TEST(polling_has_an_interval),
		TEST(slots_are_read),
		TEST(bad_slots_are_refused),
		TEST(obsolete_drivers_are_ignored),
		TEST(serial_ports_are_read),
		TEST(affinity_is_read),
		TEST(shortest_command_line_is_enough),
		TEST(upstream_command_line_is_accepted),
		TEST(obsolete_words_change_nothing),
		TEST(words_land_where_they_belong),
		TEST(what_is_not_built_is_refused),
		TEST(device_memory_is_read),
		TEST(rtvm_has_its_cpus_alone),
		TEST(firmware_is_read),
		TEST(bad_firmware_is_refused),
		TEST(the_isa_bridge_of_q35_has_its_place),
		TEST(an_identity_follows_the_name),
		TEST(questions_are_answered),
		TEST(a_file_gives_options),
		TEST(a_bad_file_is_refused),
		TEST(exit_codes_are_as_documented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
