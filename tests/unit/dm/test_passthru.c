/* SPDX-License-Identifier: BSD-3-Clause */
/* -s N,passthru: its words, what the guest's function looks like, what the hypervisor is told, and every way back. */
#include <acrn/dev.h>
#include <errno.h>
#include <pciaccess.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

#include "bus/io.h"
#include "bus/pci.h"
#include "dev/device.h"
#include "dev/passthru_opts.h"
#include "hsm.h"

/* --- a machine with one device, at ff:1f.7, where no real one is --- */

static struct pci_device card;
static uint8_t config[256];
static unsigned int opened;

int pci_system_init(void)
{
	opened++;
	return 0;
}

void pci_system_cleanup(void)
{
	opened--;
}

struct pci_device *pci_device_find_by_slot(uint32_t domain, uint32_t bus, uint32_t dev, uint32_t func)
{
	return domain == 0 && bus == 0xff && dev == 0x1f && func == 7 ? &card : NULL;
}

int pci_device_probe(struct pci_device *dev)
{
	assert_ptr_equal(dev, &card);
	return 0;
}

int pci_device_cfg_read_u8(struct pci_device *dev, uint8_t *data, pciaddr_t offset)
{
	assert_ptr_equal(dev, &card);
	*data = config[offset];
	return 0;
}

int pci_device_cfg_read_u16(struct pci_device *dev, uint16_t *data, pciaddr_t offset)
{
	assert_ptr_equal(dev, &card);
	memcpy(data, &config[offset], 2);
	return 0;
}

static uint16_t power_states[4];
static unsigned int power_writes;

static uint8_t rom[4096];
static bool rom_fails;

int pci_device_read_rom(struct pci_device *dev, void *buffer)
{
	assert_ptr_equal(dev, &card);
	assert_true(config[4] & 2); /* it decodes, else it would not answer */
	memcpy(buffer, rom, sizeof(rom));
	return rom_fails ? EIO : 0;
}

int pci_device_cfg_write_u16(struct pci_device *dev, uint16_t data, pciaddr_t offset)
{
	assert_ptr_equal(dev, &card);
	if (offset == 4) {
		memcpy(&config[4], &data, 2);
		return 0;
	}
	assert_int_equal(offset, 0x44);
	assert_true(power_writes < 4);
	power_states[power_writes++] = data;
	return 0;
}

/* --- the hypervisor --- */

static struct acrn_pcidev given;
static struct acrn_ptdev_irq line;
static unsigned int assigns, deassigns, sets, resets;
static int assign_error, set_error;

int hsm_assign_pcidev(const struct acrn_pcidev *dev)
{
	assigns++;
	given = *dev;
	return assign_error;
}

int hsm_deassign_pcidev(const struct acrn_pcidev *dev)
{
	deassigns++;
	assert_memory_equal(dev, &given, sizeof(given));
	return 0;
}

int hsm_set_ptdev_intr(const struct acrn_ptdev_irq *irq)
{
	sets++;
	line = *irq;
	return set_error;
}

int hsm_reset_ptdev_intr(const struct acrn_ptdev_irq *irq)
{
	resets++;
	assert_memory_equal(irq, &line, sizeof(line));
	return 0;
}

int hsm_inject_msi(uint64_t addr, uint64_t data)
{
	(void)addr;
	(void)data;
	return 0;
}

int hsm_set_irqline(uint32_t gsi, enum hsm_line op)
{
	(void)gsi;
	(void)op;
	return 0;
}

/* --- */

extern const struct dm_device_class *const __start_dm_devices[];
static struct dm_device device;

static int setup(void **state)
{
	(void)state;
	memset(&card, 0, sizeof(card));
	memset(config, 0, sizeof(config));
	card.vendor_id = 0x8086;
	card.device_id = 0x10d3;
	card.device_class = 0x020000;
	card.irq = 11;
	card.regions[0].size = 0x20000;
	card.regions[2].size = 32;
	card.regions[2].is_IO = 1;
	card.regions[3].size = 0x4000;
	card.regions[3].is_64 = 1;
	config[6] = 0x10;
	config[0x34] = 0x40;
	config[0x40] = 0x01;
	config[0x41] = 0x50;
	config[0x50] = 0x11;
	assigns = deassigns = sets = resets = power_writes = 0;
	assign_error = set_error = 0;
	device = (struct dm_device){ .class = __start_dm_devices[0], .pci = pci_func_create(0, 5, 0, "passthru") };
	assert_non_null(device.pci);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(opened, 0);
	pci_exit();
	io_exit();
	return 0;
}

static int init(const char *opts)
{
	return device.class->init(&device, opts);
}

static void words(void **state)
{
	struct passthru_opts o;

	(void)state;
	assert_int_equal(passthru_parse("00/1f/3", &o), 0);
	assert_int_equal(o.bus, 0);
	assert_int_equal(o.dev, 0x1f);
	assert_int_equal(o.fn, 3);
	assert_int_equal(o.irq, -1);
	assert_false(o.no_reset || o.keep_gsi || o.d3hot_reset);
	assert_int_equal(passthru_parse("a:0.1,no_reset,keep_gsi,irq=17,d3hot_reset,gpu", &o), 0);
	assert_int_equal(o.bus, 10);
	assert_int_equal(o.irq, 17);
	assert_true(o.no_reset && o.keep_gsi && o.d3hot_reset);
}

static void wrong_words(void **state)
{
	static const char *const wrong[] = {
		"", "0", "0/8", "0/8/8", "0/20/0", "100/0/0", "0/8/0x", "0/8/0 ", "-1/8/0", "0/8/0,", "0/8/0,irq=",
		"0/8/0,irq=256", "0/8/0,irq=5x", "0/8/0,reset", "0/8/0,enable_ptm", "0/8/0,romfile=",
		"0/8/0,vmsix_on_msi,1", "0/8/0,dsdt=/x",
	};
	struct passthru_opts o;

	(void)state;
	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(passthru_parse(wrong[i], &o), -EINVAL);
}

static void a_device_is_given_and_comes_back(void **state)
{
	(void)state;
	assert_int_equal(init("ff/1f/7,no_reset"), 0);
	assert_int_equal(assigns, 1);
	assert_int_equal(given.type, ACRN_PCIDEV_NO_RESET);
	assert_int_equal(given.virt_bdf, 5 << 3);
	assert_int_equal(given.phys_bdf, 0xffff);
	assert_int_equal(given.intr_pin, 0);
	assert_int_equal(given.bar[0], device.pci->bar[0].addr);
	assert_int_equal(given.bar[0] % 0x20000, 0);
	assert_in_range(given.bar[0], PCI_MEM32_BASE, PCI_MEM32_END - 1);
	assert_int_equal(given.bar[1], 0);
	assert_in_range(given.bar[2], PCI_IO_BASE, PCI_IO_END - 1);
	assert_int_equal(given.bar[3], (uint32_t)device.pci->bar[3].addr);
	assert_int_equal(given.bar[4], (uint32_t)(device.pci->bar[3].addr >> 32));
	assert_int_equal(sets, 0); /* it has messages */
	assert_int_equal(pci_cfg_read(PCI_BDF(0, 5, 0), 0, 4), 0x10d38086);
	device.class->destroy(&device);
	assert_int_equal(deassigns, 1);
	assert_int_equal(resets, 0);
}

/* The function as it was before init(). */
static void again(void)
{
	pci_func_destroy(device.pci);
	device.pci = pci_func_create(0, 5, 0, "passthru");
	assert_non_null(device.pci);
}

static uint64_t read_memory(uint64_t at)
{
	struct io_access a = { .space = IO_MMIO, .size = 4, .addr = at };

	io_dispatch(&a);
	return a.value;
}

static void the_rom_is_a_copy(void **state)
{
	uint32_t at;

	(void)state;
	card.rom_size = sizeof(rom);
	memcpy(rom, "\x55\xaa\x12\x34", 4);
	rom_fails = false;
	assert_int_equal(init("ff/1f/7,no_reset"), 0);
	assert_int_equal(given.type, ACRN_PCIDEV_NO_RESET | ACRN_PCIDEV_ROM);
	memset(rom, 0, sizeof(rom));
	at = pci_cfg_read(PCI_BDF(0, 5, 0), 0x30, 4);
	assert_in_range(at, PCI_MEM32_BASE, PCI_MEM32_END - 1);
	assert_int_equal(read_memory(at), 0xffffffff);
	pci_cfg_write(PCI_BDF(0, 5, 0), 0x30, 4, 0xfffff800);
	assert_int_equal(pci_cfg_read(PCI_BDF(0, 5, 0), 0x30, 4), 0xfffff000);
	pci_cfg_write(PCI_BDF(0, 5, 0), 0x30, 4, 0xc0000001);
	assert_int_equal(read_memory(0xc0000000), 0x3412aa55);
	assert_int_equal(read_memory(0xc0000ffc), 0);
	pci_cfg_write(PCI_BDF(0, 5, 0), 0x30, 4, 0xc0001001);
	assert_int_equal(read_memory(0xc0000000), 0xffffffff);
	assert_int_equal(read_memory(0xc0001000), 0x3412aa55);
	pci_func_reset(device.pci);
	assert_int_equal(read_memory(0xc0001000), 0xffffffff);
	device.class->destroy(&device);
}

static void a_rom_that_is_none_is_not_shown(void **state)
{
	(void)state;
	card.rom_size = sizeof(rom);
	memset(rom, 0xff, sizeof(rom));
	rom_fails = false;
	assert_int_equal(init("ff/1f/7,no_reset"), 0);
	assert_int_equal(given.type, ACRN_PCIDEV_NO_RESET);
	assert_int_equal(pci_cfg_read(PCI_BDF(0, 5, 0), 0x30, 4), 0);
	device.class->destroy(&device);
	again();
	rom_fails = true;
	memcpy(rom, "\x55\xaa", 2);
	assert_int_equal(init("ff/1f/7,no_reset"), 0);
	assert_int_equal(given.type, ACRN_PCIDEV_NO_RESET);
	device.class->destroy(&device);
}

static void a_file_is_the_rom(void **state)
{
	char path[] = "/tmp/acrn-rom.XXXXXX", opts[64];
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	snprintf(opts, sizeof(opts), "ff/1f/7,no_reset,romfile=%s", path);
	assert_int_equal(init(opts), -EINVAL); /* it is empty */
	again();
	assert_int_equal(write(fd, "\x55\xaa!", 3), 3);
	assert_int_equal(init(opts), 0);
	pci_cfg_write(PCI_BDF(0, 5, 0), 0x30, 4, 0xc0000001);
	assert_int_equal(read_memory(0xc0000000), 0xff21aa55);
	device.class->destroy(&device);
	again();
	assert_int_equal(pwrite(fd, "MZ", 2, 0), 2);
	assert_int_equal(init(opts), -EINVAL);
	again();
	close(fd);
	unlink(path);
	assert_int_equal(init(opts), -ENOENT);
}

static void one_that_cannot_be_reset_is_refused(void **state)
{
	(void)state;
	assert_int_equal(init("ff/1f/7"), -ENOTTY);
	assert_int_equal(assigns, 0);
}

static void what_is_not_there_is_refused(void **state)
{
	(void)state;
	assert_int_equal(init("fe/1f/7,no_reset"), -ENODEV);
	config[10] = config[11] = 0xff;
	assert_int_equal(init("ff/1f/7,no_reset"), -EBUSY); /* it does not answer: a VM has it */
	config[10] = config[11] = 0;
	card.device_class = 0x060400;
	assert_int_equal(init("ff/1f/7,no_reset"), -ENODEV);
	assert_int_equal(assigns, 0);
}

static void the_hypervisors_no_undoes_all(void **state)
{
	(void)state;
	assign_error = -ENODEV;
	assert_int_equal(init("ff/1f/7,no_reset"), -ENODEV);
	assert_int_equal(assigns, 1);
	assert_int_equal(deassigns, 0);
}

static void a_line_is_asked_for_without_messages(void **state)
{
	(void)state;
	config[0x50] = 0x09;
	assert_int_equal(init("ff/1f/7,no_reset"), 0);
	assert_int_equal(sets, 1);
	assert_int_equal(given.intr_pin, 1);
	assert_int_equal(given.intr_line, device.pci->gsi);
	assert_int_equal(line.virt_pin, device.pci->gsi);
	assert_int_equal(line.phys_pin, 11);
	assert_int_equal(line.virt_bdf, 5 << 3);
	assert_int_equal(line.phys_bdf, 0xffff);
	device.class->destroy(&device);
	assert_int_equal(resets, 1);
	assert_int_equal(deassigns, 1);
}

static void a_line_can_be_kept_and_named(void **state)
{
	(void)state;
	assert_int_equal(init("ff/1f/7,no_reset,keep_gsi,irq=20"), 0);
	assert_int_equal(line.phys_pin, 20);
	device.class->destroy(&device);
}

static void a_line_that_others_use_gives_the_device_back(void **state)
{
	(void)state;
	set_error = -EBUSY;
	assert_int_equal(init("ff/1f/7,no_reset,keep_gsi"), -EBUSY);
	assert_int_equal(assigns, 1);
	assert_int_equal(deassigns, 1);
	assert_int_equal(resets, 0);
}

static void a_line_that_is_none_is_refused(void **state)
{
	(void)state;
	card.irq = 255;
	assert_int_equal(init("ff/1f/7,no_reset,keep_gsi"), -EINVAL);
	assert_int_equal(assigns, 0);
}

static void d3hot_reset_goes_there_and_back(void **state)
{
	(void)state;
	config[0x44] = 0x08;
	assert_int_equal(init("ff/1f/7,no_reset,d3hot_reset"), 0);
	assert_int_equal(power_writes, 2);
	assert_int_equal(power_states[0], 0x0b);
	assert_int_equal(power_states[1], 0x08);
	device.class->destroy(&device);
	config[0x40] = 0x09;
	assert_int_equal(init("ff/1f/7,no_reset,d3hot_reset"), -ENOTTY);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(words),
		TEST(wrong_words),
		TEST(a_device_is_given_and_comes_back),
		TEST(the_rom_is_a_copy),
		TEST(a_rom_that_is_none_is_not_shown),
		TEST(a_file_is_the_rom),
		TEST(one_that_cannot_be_reset_is_refused),
		TEST(what_is_not_there_is_refused),
		TEST(the_hypervisors_no_undoes_all),
		TEST(a_line_is_asked_for_without_messages),
		TEST(a_line_can_be_kept_and_named),
		TEST(a_line_that_others_use_gives_the_device_back),
		TEST(a_line_that_is_none_is_refused),
		TEST(d3hot_reset_goes_there_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
