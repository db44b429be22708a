/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages of the Service VM's devices where interrupts are filtered: what the guest writes, what it reads back, what
 * the device holds, what the IOMMU is told. The device is an array of registers, the IOMMU gives numbers.
 */
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "hw/paging.h"
#include "hw/pci.h"
#include "hw/pci_sriov.h"
#include "hw/smp_call.h"
#include "lib/errno.h"
#include "vm/passthru.h"
#include "vm/service.h"
#include "vm/service_msi.h"

#define POOL_PAGES 256U
#define CARD 0x40
#define MSI 0x50
#define MSIX 0x70
#define BAR_HPA 0xFEB00000UL
#define TABLE_HPA (BAR_HPA + 0x1000)
#define ENTRIES 4U
#define MASKED 1U

struct page_pool host_pool;
static uint8_t cfg[256];
static uint32_t regs[1024]; /* the page with the table */
static bool filters, is_vf;
static int map_error, take_error;
static unsigned int mapped, live, changes, takes, others;
static struct msi_route last;

uint32_t pci_read(uint16_t bdf, unsigned int reg, unsigned int size)
{
	uint32_t v = 0;

	assert_int_equal(bdf, CARD);
	memcpy(&v, &cfg[reg], size);
	return v;
}

void pci_write(uint16_t bdf, unsigned int reg, unsigned int size, uint32_t value)
{
	assert_int_equal(bdf, CARD);
	memcpy(&cfg[reg], &value, size);
}

uint8_t pci_find_capability(uint16_t bdf, uint8_t id)
{
	assert_int_equal(bdf, CARD);
	return id == 5 ? MSI : id == 0x11 ? MSIX : 0;
}

bool pci_vf_find(uint16_t bdf, struct pci_vf *vf)
{
	assert_int_equal(bdf, CARD);
	*vf = (struct pci_vf){ .bar = { BAR_HPA } };
	return is_vf;
}

bool iommu_filters_irqs(void)
{
	return filters;
}

int iommu_map_irq(uint16_t bdf, const struct msi_route *want, struct msi_msg *out)
{
	assert_int_equal(bdf, CARD);
	if (map_error != 0)
		return map_error;
	last = *want;
	live++;
	*out = (struct msi_msg){ .address = 0xFEE00010UL | ++mapped << 5, .data = 0 };
	return 0;
}

int iommu_change_irq(uint16_t bdf, const struct msi_route *want, const struct msi_msg *msg)
{
	assert_int_equal(bdf, CARD);
	assert_true((msg->address & 0xFFF00010UL) == 0xFEE00010UL);
	last = *want;
	changes++;
	return 0;
}

void iommu_unmap_irq(uint16_t bdf, const struct msi_msg *msg)
{
	assert_int_equal(bdf, CARD);
	assert_true((msg->address & 0xFFF00010UL) == 0xFEE00010UL);
	live--;
}

void smp_call_poll(void)
{
}

void *paging_map_mmio(hpa_t hpa, uint64_t size, unsigned int cache)
{
	assert_true(hpa == TABLE_HPA && size == PAGE_SIZE && cache == PG_UC);
	return regs;
}

int service_memory_take(hpa_t hpa, uint64_t size)
{
	assert_true(hpa == TABLE_HPA && size == PAGE_SIZE);
	takes += take_error == 0;
	return take_error;
}

void service_memory_give_back(hpa_t hpa, uint64_t size)
{
	assert_true(hpa == TABLE_HPA && size == PAGE_SIZE);
	takes--;
}

void passthru_access_register(volatile uint8_t *at, struct io_access *io)
{
	assert_ptr_equal(at, (uint8_t *)regs + (io->addr - TABLE_HPA));
	others++;
}

static void put(unsigned int at, unsigned int size, uint64_t value)
{
	memcpy(&cfg[at], &value, size);
}

static int setup(void **state)
{
	*state = aligned_alloc(PAGE_SIZE, POOL_PAGES * PAGE_SIZE);
	page_pool_init(&host_pool, *state, 0x1000, POOL_PAGES);
	memset(cfg, 0, sizeof(cfg));
	put(0x10, 8, BAR_HPA | 4); /* a BAR of 64 bits */
	put(MSI, 4, 0x00800005); /* 64 bits */
	put(MSIX, 4, (ENTRIES - 1) << 16 | 0x11);
	put(MSIX + 4, 4, 0x1000);
	memset(regs, 0, sizeof(regs));
	for (unsigned int i = 0; i < ENTRIES; i++)
		regs[4 * i + 3] = MASKED;
	filters = true;
	is_vf = false;
	map_error = take_error = 0;
	mapped = live = changes = takes = others = 0;
	return 0;
}

static int teardown(void **state)
{
	service_msi_forget(CARD);
	assert_int_equal(live + takes, 0);
	assert_int_equal(page_pool_available(&host_pool), POOL_PAGES);
	free(*state);
	return 0;
}

static void config_write(uint16_t reg, uint8_t size, uint32_t value)
{
	if (!service_msi_write(CARD, reg, size, value))
		pci_write(CARD, reg, size, value);
}

static uint32_t config_read(uint16_t reg, uint8_t size)
{
	return service_msi_read(CARD, reg, size, pci_read(CARD, reg, size));
}

static void write_message(void)
{
	config_write(MSI + 4, 4, 0xFEE03004); /* CPUs 0 and 1 as a set */
	config_write(MSI + 8, 4, 0);
	config_write(MSI + 12, 2, 0x0131); /* lowest priority */
}

static void msi_goes_by_an_entry(void **state)
{
	(void)state;
	write_message();
	assert_int_equal(mapped, 0);
	config_write(MSI + 2, 2, 0x00A1); /* on, four messages */
	assert_int_equal(live, 1);
	assert_true(last.apic_id == 3 && last.vector == 0x31 && last.mode == 1 && last.is_logical && !last.is_level);
	assert_int_equal(pci_read(CARD, MSI + 2, 2), 0x0081); /* one message */
	assert_int_equal(pci_read(CARD, MSI + 4, 4), 0xFEE00030);
	assert_int_equal(pci_read(CARD, MSI + 12, 2), 0);
	assert_int_equal(config_read(MSI + 4, 4), 0xFEE03004);
	assert_int_equal(config_read(MSI + 12, 4) & 0xFFFF, 0x0131);
	assert_int_equal(config_read(MSI, 4), 0x00810005);
	/* to another CPU: the entry changes, the device does not */
	config_write(MSI + 4, 4, 0xFEE01000);
	assert_true(changes == 1 && last.apic_id == 1 && !last.is_logical);
	assert_int_equal(pci_read(CARD, MSI + 4, 4), 0xFEE00030);
	config_write(MSI + 2, 2, 0x0080);
	assert_int_equal(live, 0);
	assert_int_equal(pci_read(CARD, MSI + 2, 2), 0x0080);
}

static void what_is_no_message_is_not_sent(void **state)
{
	static const uint32_t bad[] = { 0x00EF0430, 0x1F, 0xF0, 0xFF };

	(void)state;
	for (unsigned int i = 0; i < 4; i++) {
		write_message();
		config_write(MSI + 12, 2, bad[i]);
		map_error = (bad[i] & 0x700) != 0 ? -EINVAL : 0; /* modes are the IOMMU's matter */
		config_write(MSI + 2, 2, 0x0081);
		assert_int_equal(pci_read(CARD, MSI + 2, 2), 0x0080);
		config_write(MSI + 2, 2, 0x0080);
	}
	map_error = 0;
	write_message();
	config_write(MSI + 4, 4, 0x10000000); /* that would be memory */
	config_write(MSI + 2, 2, 0x0081);
	assert_int_equal(pci_read(CARD, MSI + 2, 2), 0x0080);
	config_write(MSI + 4, 4, 0xFEE00000);
	assert_int_equal(pci_read(CARD, MSI + 2, 2), 0x0081);
}

static uint64_t table(uint32_t offset, uint8_t size, bool is_write, uint64_t value)
{
	struct io_access io = { IO_MMIO, is_write, size, TABLE_HPA + offset, value };

	assert_true(service_msi_access(&io));
	return io.value;
}

static void msix_goes_by_entries(void **state)
{
	struct io_access io = { IO_MMIO, false, 4, TABLE_HPA, 0 };

	(void)state;
	assert_false(service_msi_access(&io));
	config_write(MSIX + 2, 2, 0xC000); /* on, all masked */
	assert_int_equal(takes, 1);
	table(0x10, 4, true, 0xFEE01000);
	table(0x14, 4, true, 0);
	table(0x18, 4, true, 0x42);
	assert_int_equal(mapped, 0);
	table(0x1C, 4, true, 0);
	assert_true(live == 1 && last.apic_id == 1 && last.vector == 0x42);
	assert_true(regs[4] == 0xFEE00030 && regs[5] == 0 && regs[6] == 0 && regs[7] == 0);
	assert_int_equal(table(0x10, 8, false, 0), 0xFEE01000);
	assert_int_equal(table(0x18, 8, false, 0), 0x42);
	/* while it is not masked, each word counts */
	table(0x18, 8, true, 0x55);
	assert_true(live == 1 && changes != 0 && last.vector == 0x55 && regs[7] == 0);
	table(0x1C, 4, true, MASKED);
	assert_true(regs[7] == MASKED && live == 1);
	/* what is none stays masked; bytes are no accesses; beside the table is the device's own */
	table(0x2C, 4, true, 0);
	assert_true(regs[11] == MASKED && live == 1);
	table(0x10, 1, true, 0);
	assert_int_equal(table(0x10, 1, false, 0), 0xFF);
	(void)table(0x40, 4, false, 0);
	assert_int_equal(others, 1);
	config_write(MSIX + 2, 2, 0x0000);
	assert_true(takes == 0 && live == 0 && regs[4] == 0xFEE01000 && regs[6] == 0x55);
}

static void entries_written_before_are_not_sent_as_they_are(void **state)
{
	(void)state;
	regs[0] = 0xFEE02000;
	regs[2] = 0x77;
	regs[3] = 0;
	regs[7] = 0; /* no message */
	config_write(MSIX, 4, 0x80000011);
	assert_true(live == 1 && last.apic_id == 2 && last.vector == 0x77 && regs[0] == 0xFEE00030 && regs[3] == 0);
	assert_int_equal(regs[7], MASKED);
}

static void a_table_that_cannot_be_taken_is_left(void **state)
{
	struct io_access io = { IO_MMIO, false, 4, TABLE_HPA, 0 };

	(void)state;
	take_error = -ENODEV;
	config_write(MSIX + 2, 2, 0x8000);
	assert_false(service_msi_access(&io));
	assert_int_equal(pci_read(CARD, MSIX + 2, 2), 0x8000);
	take_error = 0;
	put(0x10, 8, 0x1001); /* ports */
	config_write(MSIX + 2, 2, 0x8000);
	assert_int_equal(takes, 0);
}

static void a_virtual_function_has_a_table(void **state)
{
	(void)state;
	put(0x10, 8, 0);
	config_write(MSIX + 2, 2, 0x8000);
	assert_int_equal(takes, 0);
	is_vf = true;
	config_write(MSIX + 2, 2, 0x8000);
	assert_int_equal(takes, 1);
}

static void a_device_that_goes_away_is_silent(void **state)
{
	(void)state;
	write_message();
	config_write(MSI + 2, 2, 0x0081);
	config_write(MSIX + 2, 2, 0x8000);
	service_msi_forget(CARD);
	assert_int_equal(pci_read(CARD, MSI + 2, 2), 0x0080);
	assert_int_equal(pci_read(CARD, MSIX + 2, 2), 0);
	assert_int_equal(live + takes, 0);
}

static void without_a_filter_nothing_is_touched(void **state)
{
	(void)state;
	filters = false;
	assert_false(service_msi_write(CARD, MSI + 2, 2, 0x81));
	assert_false(service_msi_write(CARD, MSIX + 2, 2, 0x8000));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(msi_goes_by_an_entry),
		TEST(what_is_no_message_is_not_sent),
		TEST(msix_goes_by_entries),
		TEST(entries_written_before_are_not_sent_as_they_are),
		TEST(a_table_that_cannot_be_taken_is_left),
		TEST(a_virtual_function_has_a_table),
		TEST(a_device_that_goes_away_is_silent),
		TEST(without_a_filter_nothing_is_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
