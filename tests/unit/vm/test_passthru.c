/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device goes to a VM, is used, and comes back: in which order, what is refused, what an error undoes. The machine is
 * a fake: one device, an IOMMU that writes down what it is told; the VM's memory map is real.
 */
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "hw/paging.h"
#include "hw/pci.h"
#include "hw/smp_call.h"
#include "lib/errno.h"
#include "lib/util.h"
#include "vm/passthru.h"
#include "vm/ptirq_line.h"
#include "vm/service.h"
#include "vm/service_msi.h"
#include "vm/vm_memory.h"

#define POOL_PAGES 512U
#define CARD 0x40 /* 00:08.0 */
#define SLOT 0x28 /* 00:05.0 */
#define BAR_HPA 0xFEB00000UL
#define BAR_GPA 0x80000000UL
#define BAR_SIZE 0x4000UL
#define RAM_HPA 0x10000000UL

struct page_pool host_pool;
static struct vm vm, service;
static uint8_t cfg[256];
static char did[512]; /* what was done, a word each */
static bool present, is_hidden, is_device;
static int attach_error, take_error;
static unsigned int maps;
static uint64_t mapped;

static void note(const char *word)
{
	strncat(did, word, sizeof(did) - strlen(did) - 1);
}

/* --- the machine --- */

uint32_t pci_read(uint16_t bdf, unsigned int reg, unsigned int size)
{
	uint32_t v = 0;

	if (bdf != CARD || reg + size > sizeof(cfg))
		return 0xFFFFFFFFU >> (32U - size * 8U);
	memcpy(&v, &cfg[reg], size);
	return v;
}

void pci_write(uint16_t bdf, unsigned int reg, unsigned int size, uint32_t value)
{
	assert_int_equal(bdf, CARD);
	if (reg >= 0x10 && reg < 0x28)
		value = reg == 0x10 ? value & (uint32_t)~(BAR_SIZE - 1) : 0;
	memcpy(&cfg[reg], &value, size);
	if (reg == 4)
		note((value & 4) != 0 ? "master " : "quiet ");
}

bool iommu_present(void)
{
	return present;
}

int iommu_domain_init(struct iommu_domain *d, unsigned int owner)
{
	note("domain ");
	*d = (struct iommu_domain){ .id = 2, .owner = owner };
	return 0;
}

void iommu_domain_exit(struct iommu_domain *d)
{
	note("no-domain ");
	d->id = 0;
}

int iommu_map(struct iommu_domain *d, gpa_t gpa, hpa_t hpa, uint64_t size, unsigned int prot)
{
	assert_int_not_equal(d->id, 0);
	assert_int_equal(prot & ~(PG_READ | PG_WRITE), 0U);
	assert_int_equal(hpa - RAM_HPA, gpa);
	maps++;
	mapped += size;
	return 0;
}

int iommu_unmap(struct iommu_domain *d, gpa_t gpa, uint64_t size)
{
	(void)gpa;
	assert_int_not_equal(d->id, 0);
	mapped -= MIN(mapped, size);
	return 0;
}

void service_msi_forget(uint16_t bdf)
{
	if (bdf == CARD)
		note("silent ");
}

int iommu_attach(struct iommu_domain *d, uint16_t bdf)
{
	assert_int_equal(bdf, CARD);
	note(d == &service.dma ? "attach-service " : "attach ");
	return d == &service.dma ? 0 : attach_error;
}

int iommu_detach(uint16_t bdf)
{
	assert_int_equal(bdf, CARD);
	note("detach ");
	return 0;
}

int ptirq_msi_set(struct ptirq_msi *irq, struct vm *v, uint16_t bdf, uint64_t address, uint32_t data)
{
	assert_ptr_equal(v, &vm);
	assert_int_equal(bdf, CARD);
	irq->active = true;
	irq->cpu = 1;
	irq->vector = 0xF4;
	irq->message = (struct msi_msg){ 0xFEE12000, data + (uint32_t)(address >> 12 & 0xFF) };
	return 0;
}

void ptirq_msi_free(struct ptirq_msi *irq, uint16_t bdf)
{
	assert_int_equal(bdf, CARD);
	if (irq->active)
		note("no-irq ");
	irq->active = false;
}

uint64_t ptirq_msi_take_count(const struct ptirq_msi *irq)
{
	assert_true(irq->active);
	return 7;
}

void ptirq_line_release_all(struct vm *v, uint16_t bdf)
{
	assert_ptr_equal(v, &vm);
	assert_int_equal(bdf, CARD);
	note("no-line ");
}

void smp_call_poll(void)
{
}

void *paging_map_mmio(hpa_t hpa, uint64_t size, unsigned int cache)
{
	fail_msg("nothing is to be trapped: %lx %lx %x", hpa, size, cache);
	return NULL;
}

struct vm *vm_service(void)
{
	return &service;
}

bool vm_is_guest_ram(hpa_t hpa)
{
	return hpa >= RAM_HPA && hpa < RAM_HPA + SIZE_2M + PAGE_SIZE;
}

bool service_pci_is_hidden(uint16_t bdf)
{
	return is_hidden || passthru_is_assigned(bdf);
}

bool service_memory_is_device(hpa_t hpa, uint64_t size)
{
	assert_int_equal(hpa, BAR_HPA);
	assert_int_equal(size, BAR_SIZE);
	return is_device;
}

int service_memory_take(hpa_t hpa, uint64_t size)
{
	assert_int_equal(hpa, BAR_HPA);
	assert_int_equal(size, BAR_SIZE);
	note("take ");
	return take_error;
}

void service_memory_give_back(hpa_t hpa, uint64_t size)
{
	assert_int_equal(hpa, BAR_HPA);
	assert_int_equal(size, BAR_SIZE);
	note("give-back ");
}

/* --- */

static const struct acrn_pcidev wanted = { .phys_bdf = CARD, .virt_bdf = SLOT, .bar = { BAR_GPA } };

static int setup(void **state)
{
	static const uint32_t id = 0x10D38086, bar = BAR_HPA;
	uint8_t *block = aligned_alloc(PAGE_SIZE, POOL_PAGES * PAGE_SIZE);

	*state = block;
	page_pool_init(&host_pool, block, 0x1000, POOL_PAGES);
	memset(cfg, 0, sizeof(cfg));
	memcpy(cfg, &id, 4);
	memcpy(&cfg[0x10], &bar, 4);
	cfg[6] = 0x10;
	cfg[0x0B] = 2;
	cfg[0x34] = 0x50; /* MSI, 64 bits */
	cfg[0x50] = 5;
	cfg[0x52] = 0x80;
	memset(&vm, 0, sizeof(vm));
	memset(&service, 0, sizeof(service));
	vm.id = 1;
	vm.dma.id = 0;
	io_bus_init(&vm.io);
	assert_int_equal(gpa_space_init(&vm.group.space, &pgtable_npt, &host_pool), 0);
	present = is_device = true;
	is_hidden = false;
	attach_error = take_error = 0;
	maps = 0;
	mapped = 0;
	/* 2 MiB and a page beside it, one piece; a page of registers, which no device is to see */
	assert_int_equal(vm_memory_map(&vm, 0, RAM_HPA, SIZE_2M + PAGE_SIZE, PG_READ | PG_WRITE | PG_EXEC), 0);
	assert_int_equal(vm_memory_map(&vm, SIZE_1G, 0xF0000000, PAGE_SIZE, PG_READ | PG_WRITE), 0);
	assert_int_equal(maps, 0);
	did[0] = 0;
	return 0;
}

static int teardown(void **state)
{
	passthru_release_all(&vm);
	assert_false(passthru_is_assigned(CARD));
	gpa_space_destroy(&vm.group.space);
	assert_int_equal(page_pool_available(&host_pool), POOL_PAGES);
	free(*state);
	return 0;
}

static bool access(struct io_access *io)
{
	enum passthru_result result = passthru_access(&vm, io);

	assert_int_not_equal(result, PASSTHRU_BUSY);
	return result == PASSTHRU_DONE;
}

static void config_write(unsigned int reg, uint8_t size, uint32_t value)
{
	struct io_access io = { IO_PORT, true, 4, 0xCF8, 0x80000000U | SLOT << 8 | (reg & 0xFC) };

	assert_false(access(&io)); /* the device model hears of it, too */
	io = (struct io_access){ IO_PORT, true, size, 0xCFC + reg % 4, value };
	assert_true(access(&io));
}

static uint64_t where(gpa_t gpa)
{
	return gpa_space_translate(&vm.group.space, gpa, PG_READ | PG_WRITE);
}

static void it_goes_and_comes_in_order(void **state)
{
	(void)state;
	assert_int_equal(passthru_assign(&vm, &wanted), 0);
	assert_string_equal(did, "silent quiet quiet quiet domain take attach ");
	assert_true(passthru_is_assigned(CARD));
	assert_ptr_equal(passthru_find(&vm, CARD), vm.device[0]);
	did[0] = 0;
	passthru_release(vm.device[0]);
	assert_string_equal(did, "quiet no-line detach give-back attach-service no-domain ");
	assert_int_equal(vm.device_count, 0);
	assert_null(passthru_find(&vm, CARD));
}

static void devices_see_the_vms_ram_in_one_piece(void **state)
{
	(void)state;
	assert_int_equal(passthru_assign(&vm, &wanted), 0);
	assert_int_equal(maps, 1);
	assert_int_equal(mapped, SIZE_2M + PAGE_SIZE);
	assert_int_equal(vm_memory_unmap(&vm, 0, PAGE_SIZE), 0);
	assert_int_equal(mapped, SIZE_2M);
	assert_int_equal(where(0), HPA_INVALID);
	assert_int_equal(vm_memory_map(&vm, 0, RAM_HPA, PAGE_SIZE, PG_READ | PG_WRITE), 0);
	assert_int_equal(vm_memory_protect(&vm, PAGE_SIZE, PAGE_SIZE, PG_READ), 0);
	assert_int_equal(maps, 3);
}

static void without_an_iommu_nothing_is_touched(void **state)
{
	(void)state;
	present = false;
	assert_int_equal(passthru_assign(&vm, &wanted), -ENODEV);
	assert_string_equal(did, "");
}

/* Its registers are those of a function of its own; everything else is the hardware's. */
static void a_virtual_function_has_identity_and_bars(void **state)
{
	struct passthru_dev dev = {
		.phys = CARD,
		.is_vf = true,
		.vf = { .vendor = 0x8086, .device = 0x10CA, .bar = { 0x4000800C, 0x12 }, .mask = { 0xFFFFC00C, ~0U } },
	};

	(void)state;
	assert_int_equal(passthru_hw_read(&dev, 0, 2), 0x8086);
	assert_int_equal(passthru_hw_read(&dev, 2, 2), 0x10CA);
	assert_int_equal(passthru_hw_read(&dev, 0x10, 4), 0x4000800C);
	passthru_hw_write(&dev, 0x10, 4, ~0U);
	assert_int_equal(passthru_hw_read(&dev, 0x10, 4), 0xFFFFC00C);
	assert_int_equal(passthru_hw_read(&dev, 0x14, 4), 0x12);
	passthru_hw_write(&dev, 0x10, 4, 0x4000800C);
	assert_int_equal(passthru_hw_read(&dev, 0x10, 4), 0x4000800C);
	assert_int_equal(passthru_hw_read(&dev, 0x24, 4), 0);
	cfg[0x2C] = 0x77;
	assert_int_equal(passthru_hw_read(&dev, 0x2C, 1), 0x77);
	passthru_hw_write(&dev, 0x3C, 1, 0x42);
	assert_int_equal(cfg[0x3C], 0x42);
}

static void what_is_not_to_be_given_is_refused(void **state)
{
	struct acrn_pcidev dev = wanted;

	(void)state;
	is_hidden = true;
	assert_int_equal(passthru_assign(&vm, &wanted), -ENODEV);
	is_hidden = false;
	dev.phys_bdf = 0x48;
	assert_int_equal(passthru_assign(&vm, &dev), -ENODEV);
	dev = wanted;
	dev.type = 1;
	assert_int_equal(passthru_assign(&vm, &dev), -EINVAL);
	dev = wanted;
	dev.intr_pin = 5;
	assert_int_equal(passthru_assign(&vm, &dev), -EINVAL);
	dev = wanted;
	dev.bar[0] = BAR_GPA + PAGE_SIZE;
	assert_int_equal(passthru_assign(&vm, &dev), -EINVAL);
	cfg[0x0B] = 6;
	assert_int_equal(passthru_assign(&vm, &wanted), -ENODEV);
	cfg[0x0B] = 2;
	assert_int_equal(vm.device_count, 0);
	assert_int_equal(passthru_assign(&vm, &wanted), 0);
	assert_int_equal(passthru_assign(&vm, &wanted), -ENODEV); /* nobody has it to give */
}

/* The Service VM may have written anything into the BAR: RAM, the hypervisor's memory. */
static void a_bar_over_memory_is_refused(void **state)
{
	(void)state;
	is_device = false;
	assert_int_equal(passthru_assign(&vm, &wanted), -EINVAL);
	assert_null(strstr(did, "attach"));
	assert_null(strstr(did, "take"));
}

static void an_error_undoes_all(void **state)
{
	(void)state;
	attach_error = -EINVAL;
	assert_int_equal(passthru_assign(&vm, &wanted), -EINVAL);
	assert_non_null(strstr(did, "take attach give-back no-domain "));
	assert_false(passthru_is_assigned(CARD));
	attach_error = 0;
	take_error = -ENOMEM;
	assert_int_equal(passthru_assign(&vm, &wanted), -ENOMEM);
	assert_false(passthru_is_assigned(CARD));
	assert_int_equal(vm.device_count, 0);
}

static void the_guest_moves_its_bar(void **state)
{
	(void)state;
	assert_int_equal(passthru_assign(&vm, &wanted), 0);
	assert_int_equal(where(BAR_GPA), HPA_INVALID);
	config_write(4, 2, 6);
	assert_int_equal(where(BAR_GPA + 0x3000), BAR_HPA + 0x3000);
	config_write(0x10, 4, 0x90000000);
	assert_int_equal(where(BAR_GPA), HPA_INVALID);
	assert_int_equal(where(0x90000000), BAR_HPA);
	config_write(0x10, 4, 0); /* over its memory, which stays */
	assert_int_equal(where(0), RAM_HPA);
	config_write(0x10, 4, 0x100000);
	assert_int_equal(where(0x100000), RAM_HPA + 0x100000);
	config_write(0x10, 4, BAR_GPA);
	assert_int_equal(where(BAR_GPA), BAR_HPA);
	config_write(4, 2, 4);
	assert_int_equal(where(BAR_GPA), HPA_INVALID);
	config_write(4, 2, 6);
	passthru_release(vm.device[0]);
	assert_int_equal(where(BAR_GPA), HPA_INVALID);
}

static void config_space_of_others_is_not_ours(void **state)
{
	struct io_access io = { IO_MMIO, false, 4, 0xE0000000UL + (SLOT << 12), 0 };

	(void)state;
	assert_int_equal(passthru_assign(&vm, &wanted), 0);
	assert_true(access(&io));
	assert_int_equal(io.value, 0x10D38086);
	io.size = 8;
	assert_true(access(&io));
	assert_int_equal(io.value, 0x10000010D38086UL);
	io.addr += 0x1000;
	assert_false(access(&io));
	io = (struct io_access){ IO_PORT, false, 4, 0xCFC, 0 };
	assert_false(access(&io)); /* nothing was selected */
	config_write(0x3C, 1, 7);
	io = (struct io_access){ IO_PORT, false, 1, 0xCFC, 0 };
	assert_true(access(&io));
	assert_int_equal(io.value, 7);
	vm.pci_address = 0x80000000U | 0x30 << 8;
	assert_false(access(&io));
}

static void a_device_that_is_being_changed_is_busy(void **state)
{
	struct io_access io = { IO_MMIO, false, 4, 0xE0000000UL + (SLOT << 12), 0 };

	(void)state;
	assert_int_equal(passthru_assign(&vm, &wanted), 0);
	vm.device[0]->busy = 1;
	assert_int_equal(passthru_access(&vm, &io), PASSTHRU_BUSY);
	vm.device[0]->busy = 0;
	assert_true(access(&io));
}

static void a_message_goes_through_a_source_and_is_freed(void **state)
{
	uint64_t words[48];

	(void)state;
	assert_int_equal(passthru_assign(&vm, &wanted), 0);
	config_write(0x54, 4, 0xFEE03000);
	config_write(0x5C, 2, 0x41);
	assert_int_equal(cfg[0x52] & 1, 0);
	config_write(0x52, 2, 1);
	assert_int_equal(cfg[0x52] & 1, 1);
	assert_int_equal(cfg[0x55], 0x20);
	assert_int_equal(cfg[0x5C], 0x44);
	assert_int_equal(passthru_count_irqs(&vm, words, 1), 0);
	assert_int_equal(passthru_count_irqs(&vm, words, 48), 2);
	assert_int_equal(words[0], 0x1F4);
	assert_int_equal(words[1], 7);
	did[0] = 0;
	passthru_release(vm.device[0]);
	assert_string_equal(did, "quiet no-line no-irq detach give-back attach-service no-domain ");
	assert_int_equal(cfg[0x52] & 1, 0);
}

static void write_host_bridge(uint16_t reg, uint32_t value)
{
	struct io_access io = { IO_PORT, true, 4, 0xCF8, 0x80000000U | reg };

	(void)passthru_access(&vm, &io);
	io = (struct io_access){ IO_PORT, true, 4, 0xCFC, value };
	assert_int_equal(passthru_access(&vm, &io), PASSTHRU_NOT_MINE); /* the device model has to know, too */
}

static enum passthru_result read_memory(uint64_t addr)
{
	struct io_access io = { IO_MMIO, false, 4, addr, 0 };

	return passthru_access(&vm, &io);
}

/* Firmware of a Q35 says where configuration space is mapped, and how much of it. */
static void ecam_of_a_q35_is_where_its_register_says(void **state)
{
	struct acrn_pcidev dev = wanted;

	(void)state;
	dev.type = ACRN_PCIDEV_Q35;
	assert_int_equal(passthru_assign(&vm, &dev), 0);
	assert_int_equal(read_memory(0xE0000000UL + (SLOT << 12)), PASSTHRU_NOT_MINE);
	write_host_bridge(0x64, 0);
	write_host_bridge(0x60, 0xB0000001);
	assert_int_equal(read_memory(0xB0000000UL + (SLOT << 12)), PASSTHRU_DONE);
	assert_int_equal(read_memory(0xE0000000UL + (SLOT << 12)), PASSTHRU_NOT_MINE);
	write_host_bridge(0x60, 0xBC000005); /* 64 MiB */
	assert_int_equal(read_memory(0xBC000000UL + (SLOT << 12)), PASSTHRU_DONE);
	write_host_bridge(0x64, 1);
	assert_int_equal(read_memory(0x1BC000000UL + (SLOT << 12)), PASSTHRU_DONE);
	write_host_bridge(0x60, 0xBC000007); /* no such size */
	assert_int_equal(read_memory(0x1BC000000UL + (SLOT << 12)), PASSTHRU_NOT_MINE);
	write_host_bridge(0x60, 0xBC000005);
	passthru_reset_all(&vm);
	assert_int_equal(read_memory(0x1BC000000UL + (SLOT << 12)), PASSTHRU_NOT_MINE);
}

static void the_rom_register_is_the_device_models(void **state)
{
	struct acrn_pcidev dev = wanted;

	(void)state;
	dev.type = ACRN_PCIDEV_ROM;
	assert_int_equal(passthru_assign(&vm, &dev), 0);
	assert_int_equal(read_memory(0xE0000000UL + (SLOT << 12) + 0x30), PASSTHRU_NOT_MINE);
	assert_int_equal(read_memory(0xE0000000UL + (SLOT << 12) + 0x2C), PASSTHRU_DONE);
}

static void a_reset_forgets_what_the_guest_set_up(void **state)
{
	(void)state;
	assert_int_equal(passthru_assign(&vm, &wanted), 0);
	config_write(4, 2, 6);
	config_write(0x10, 4, 0x90000000);
	config_write(0x52, 2, 1);
	passthru_reset_all(&vm);
	assert_int_equal(where(0x90000000), HPA_INVALID);
	assert_int_equal(cfg[4] & 4, 0);
	assert_int_equal(cfg[0x52] & 1, 0);
	assert_int_equal(vm.device[0]->pci.bar[0].guest, BAR_GPA);
	assert_int_equal(vm.device[0]->busy, 0);
	assert_true(passthru_is_assigned(CARD));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(it_goes_and_comes_in_order),
		TEST(ecam_of_a_q35_is_where_its_register_says),
		TEST(the_rom_register_is_the_device_models),
		TEST(devices_see_the_vms_ram_in_one_piece),
		TEST(without_an_iommu_nothing_is_touched),
		TEST(a_virtual_function_has_identity_and_bars),
		TEST(what_is_not_to_be_given_is_refused),
		TEST(a_bar_over_memory_is_refused),
		TEST(an_error_undoes_all),
		TEST(the_guest_moves_its_bar),
		TEST(config_space_of_others_is_not_ours),
		TEST(a_device_that_is_being_changed_is_busy),
		TEST(a_message_goes_through_a_source_and_is_freed),
		TEST(a_reset_forgets_what_the_guest_set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
