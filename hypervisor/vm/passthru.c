/* SPDX-License-Identifier: BSD-3-Clause */
/* How a device comes to a VM and goes back, and the VM's accesses to configuration space. */
#include "vm/passthru.h"

#include "hw/paging.h"
#include "hw/pci.h"
#include "hw/smp_call.h"
#include "lib/bitmap.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/util.h"
#include "vm/ptirq_line.h"
#include "vm/service.h"
#include "vm/service_msi.h"
#include "vm/vm_memory.h"

#define PORT_ADDRESS 0xCF8U
#define PORT_DATA 0xCFCU
#define ADDRESS_ENABLE BIT32(31)
/* Where acrn-dm has it, but for a Q35, whose firmware says where: size 256, 128 or 64 MiB (datasheet 5.1.16). */
#define ECAM_BASE 0xE0000000UL
#define ECAM_SIZE 0x10000000UL
#define PCIEXBAR 0x60U
#define PCIEXBAR_BYTES 8U
#define PCIEXBAR_WRITABLE 0xFFC000007UL
#define PCIEXBAR_ENABLE 1U
#define PCIEXBAR_LENGTH(v) ((v) >> 1 & 3U)

#define REG_ROM 0x30U

#define BDF_TEXT "%02x:%02x.%x"
#define BDF_WORDS(bdf) PCI_BUS(bdf), PCI_DEV(bdf), PCI_FN(bdf)

static uint64_t assigned[BITMAP_WORDS(0x10000U)]; /* by physical bdf */

bool passthru_is_assigned(uint16_t bdf)
{
	return bitmap_test(assigned, bdf);
}

static void bars_changed(void *ctx)
{
	passthru_update_bars(ctx);
}

static const struct vpci_passthru_ops pci_ops = {
	.hw_read = passthru_hw_read,
	.hw_write = passthru_hw_write,
	.bars_changed = bars_changed,
	.msi_changed = passthru_msi_changed,
	.msix_changed = passthru_msix_changed,
};

struct passthru_dev *passthru_find(struct vm *vm, uint16_t phys)
{
	for (unsigned int i = 0; i < vm->device_count; i++)
		if (vm->device[i]->phys == phys)
			return vm->device[i];
	return NULL;
}

static struct passthru_dev *find_virtual(struct vm *vm, uint16_t virt)
{
	for (unsigned int i = 0; i < vm->device_count; i++)
		if (vm->device[i]->virt == virt)
			return vm->device[i];
	return NULL;
}

static int check(struct vm *vm, const struct acrn_pcidev *dev)
{
	if (!iommu_present()) {
		log_warn("vm%u: device " BDF_TEXT " stays with the Service VM: there is no IOMMU to keep it in bounds",
			 vm->id, BDF_WORDS(dev->phys_bdf));
		return -ENODEV;
	}
	if ((dev->type & ~(ACRN_PCIDEV_ROM | ACRN_PCIDEV_Q35)) != 0) {
		log_warn("vm%u: device " BDF_TEXT ": type %x is not known", vm->id, BDF_WORDS(dev->phys_bdf),
			 dev->type);
		return -EINVAL;
	}
	if (service_pci_is_hidden(dev->phys_bdf)) {
		log_warn("vm%u: device " BDF_TEXT " is not the Service VM's to give", vm->id,
			 BDF_WORDS(dev->phys_bdf));
		return -ENODEV;
	}
	if (pci_has_vfs(dev->phys_bdf)) {
		log_warn("vm%u: device " BDF_TEXT " stays with the Service VM: its virtual functions are on", vm->id,
			 BDF_WORDS(dev->phys_bdf));
		return -EBUSY;
	}
	if (find_virtual(vm, dev->virt_bdf) != NULL || dev->intr_pin > 4U)
		return -EINVAL;
	return vm->device_count == VM_MAX_DEVICES ? -ENOSPC : 0;
}

static void free_dev(struct passthru_dev *dev)
{
	if (dev->irqs != NULL)
		page_pool_free(&host_pool, dev->irqs);
	page_pool_free(&host_pool, dev);
}

static struct passthru_dev *make_dev(struct vm *vm, const struct acrn_pcidev *given)
{
	struct passthru_dev *dev = page_pool_alloc(&host_pool);

	_Static_assert(sizeof(struct passthru_dev) <= PAGE_SIZE, "a device is one page of the pool");
	if (dev == NULL)
		return NULL;
	dev->vm = vm;
	dev->phys = given->phys_bdf;
	dev->virt = given->virt_bdf;
	dev->given = *given;
	dev->is_vf = pci_read(dev->phys, 0, 2) == 0xFFFFU && pci_vf_find(dev->phys, &dev->vf);
	for (unsigned int i = 0; i < VPCI_BARS; i++)
		dev->mapped[i] = GPA_INVALID;
	dev->irqs = page_pool_alloc(&host_pool);
	if (dev->irqs == NULL) {
		free_dev(dev);
		return NULL;
	}
	return dev;
}

/* The device is known and quiet, and its registers are such that a guest can have them. */
static int examine(struct passthru_dev *dev)
{
	int err = vpci_passthru_init(&dev->pci, &pci_ops, dev, &dev->given);

	if (err == 0 && !passthru_bars_are_sane(dev))
		err = -EINVAL;
	if (err != 0)
		log_warn("vm%u: device " BDF_TEXT " cannot be given away: %s", dev->vm->id, BDF_WORDS(dev->phys),
			 err == -ENODEV ? "no such device, or a bridge" : "its BARs");
	return err;
}

/* It leaves the Service VM: config space, DMA, registers. */
static int take(struct passthru_dev *dev)
{
	int err;

	bitmap_set(assigned, dev->phys);
	err = passthru_take_bars(dev);
	if (err == 0) {
		err = iommu_attach(&dev->vm->dma, dev->phys);
		if (err != 0)
			passthru_give_back_bars(dev);
	}
	if (err != 0)
		bitmap_clear(assigned, dev->phys);
	return err;
}

int passthru_assign(struct vm *vm, const struct acrn_pcidev *given)
{
	struct passthru_dev *dev;
	int err = check(vm, given);

	if (err != 0)
		return err;
	dev = make_dev(vm, given);
	if (dev == NULL)
		return -ENOMEM;
	service_msi_forget(dev->phys);
	err = examine(dev);
	if (err == 0)
		err = vm_memory_open_to_devices(vm);
	if (err == 0)
		err = take(dev);
	if (err != 0) {
		free_dev(dev);
		if (vm->device_count == 0)
			vm_memory_close_to_devices(vm);
		return err;
	}
	passthru_irq_init(dev);
	vm->is_q35 = (given->type & ACRN_PCIDEV_Q35) != 0;
	vm->device[vm->device_count++] = dev;
	log_info("vm%u: has device " BDF_TEXT " as " BDF_TEXT, vm->id, BDF_WORDS(dev->phys), BDF_WORDS(dev->virt));
	return 0;
}

/* The guest may be at the device on another CPU: where the VM is paused nobody is. */
static void claim(struct passthru_dev *dev)
{
	while (!atomic_cas(&dev->busy, 0U, 1U)) {
		smp_call_poll();
		cpu_relax();
	}
}

static void unlist(struct passthru_dev *dev)
{
	struct vm *vm = dev->vm;

	for (unsigned int i = 0; i < vm->device_count; i++)
		if (vm->device[i] == dev)
			vm->device[i] = vm->device[--vm->device_count];
}

void passthru_release(struct passthru_dev *dev)
{
	struct vm *vm = dev->vm;
	int err;

	claim(dev);
	vpci_passthru_quiesce(&dev->pci);
	ptirq_line_release_all(vm, dev->phys);
	passthru_irq_free(dev);
	err = iommu_detach(dev->phys); /* whatever it does from now on, no memory hears of it */
	if (err != 0)
		log_error("vm%u: device " BDF_TEXT " cannot be blocked: error %d", vm->id, BDF_WORDS(dev->phys), -err);
	passthru_unmap_bars(dev);
	passthru_give_back_bars(dev);
	err = iommu_attach(&vm_service()->dma, dev->phys);
	if (err != 0)
		log_error("device " BDF_TEXT " stays blocked, the Service VM cannot have it back: error %d",
			  BDF_WORDS(dev->phys), -err);
	bitmap_clear(assigned, dev->phys);
	unlist(dev);
	log_info("vm%u: device " BDF_TEXT " goes back", vm->id, BDF_WORDS(dev->phys));
	free_dev(dev);
	if (vm->device_count == 0)
		vm_memory_close_to_devices(vm);
}

void passthru_release_all(struct vm *vm)
{
	while (vm->device_count != 0)
		passthru_release(vm->device[0]);
	while (vm->mmio_count != 0)
		(void)passthru_release_mmio(vm, &vm->mmio[0]);
}

/* What the guest had set up is forgotten; resetting the device itself is the module's part. */
static void reset(struct passthru_dev *dev)
{
	bool has_line = dev->pci.has_line;

	claim(dev);
	vpci_passthru_quiesce(&dev->pci);
	passthru_irq_free(dev);
	passthru_unmap_bars(dev);
	(void)vpci_passthru_init(&dev->pci, &pci_ops, dev, &dev->given);
	dev->pci.has_line = has_line;
	passthru_irq_init(dev);
	atomic_store(&dev->busy, 0U);
}

void passthru_reset_all(struct vm *vm)
{
	vm->pci_address = 0;
	vm->pciexbar = 0;
	for (unsigned int i = 0; i < vm->device_count; i++)
		reset(vm->device[i]);
}

static unsigned int count_irqs(struct passthru_dev *dev, uint64_t *words, unsigned int max)
{
	const struct ptirq_msi *irq;
	unsigned int done = 0;

	claim(dev);
	for (unsigned int n = 0; (irq = passthru_irq(dev, n)) != NULL && done + 2U <= max; n++) {
		if (!irq->active)
			continue;
		words[done++] = (uint64_t)irq->cpu << 8 | irq->vector;
		words[done++] = ptirq_msi_take_count(irq);
	}
	atomic_store(&dev->busy, 0U);
	return done;
}

unsigned int passthru_count_irqs(struct vm *vm, uint64_t *words, unsigned int max)
{
	unsigned int done = 0;

	for (unsigned int i = 0; i < vm->device_count; i++)
		done += count_irqs(vm->device[i], words + done, max - done);
	return done;
}

/* --- the guest's accesses --- */

static void access_config(struct passthru_dev *dev, uint32_t reg, struct io_access *io)
{
	uint8_t step = io->size > 4U ? 4U : io->size;
	uint64_t value = 0;

	if (!IS_ALIGNED(reg, step))
		step = 1;
	for (unsigned int at = 0; at < io->size && reg + at < PAGE_SIZE; at += step) {
		uint16_t here = (uint16_t)(reg + at);

		if (io->is_write)
			vpci_passthru_write(&dev->pci, here, step,
					    (uint32_t)(io->value >> (at * 8U) & bytes_mask(step)));
		else
			value |= (uint64_t)vpci_passthru_read(&dev->pci, here, step) << (at * 8U);
	}
	if (!io->is_write)
		io->value = value;
}

/* The guest writes a register of its host bridge, which is the device model's: where ECAM is from now on. */
static void note_pciexbar(struct vm *vm, uint32_t reg, const struct io_access *io)
{
	uint64_t value = vm->pciexbar;

	if (!vm->is_q35 || !io->is_write || !ranges_overlap(reg, io->size, PCIEXBAR, PCIEXBAR_BYTES))
		return;
	for (unsigned int i = 0; i < io->size; i++) {
		unsigned int at = reg + i - PCIEXBAR;

		if (at < PCIEXBAR_BYTES)
			value = (value & ~(0xFFUL << at * 8U)) | (io->value >> i * 8U & 0xFFU) << at * 8U;
	}
	atomic_store(&vm->pciexbar, value & PCIEXBAR_WRITABLE);
}

static bool ecam_holds(struct vm *vm, uint64_t addr, uint32_t *offset)
{
	uint64_t base = ECAM_BASE, size = ECAM_SIZE, reg = atomic_load(&vm->pciexbar);

	if (vm->is_q35) {
		size >>= PCIEXBAR_LENGTH(reg);
		base = reg & ~(size - 1U);
		if ((reg & PCIEXBAR_ENABLE) == 0 || PCIEXBAR_LENGTH(reg) == 3U)
			return false;
	}
	*offset = (uint32_t)(addr - base);
	return addr - base < size;
}

/* Bus, device and function in 27:12, register in 11:0; false: not configuration space, as far as it is ours. */
static bool config_place(struct vm *vm, const struct io_access *io, uint32_t *place)
{
	uint32_t address;

	if (io->space == IO_MMIO)
		return ecam_holds(vm, io->addr, place);
	if (io->addr == PORT_ADDRESS && io->size == 4U && io->is_write)
		atomic_store(&vm->pci_address, (uint32_t)io->value); /* the device model hears of it, too */
	if (io->addr < PORT_DATA || io->addr > PORT_DATA + 3U)
		return false;
	address = atomic_load(&vm->pci_address);
	*place = (address & 0xFFFF00U) << 4 | (address & 0xFCU) | (uint32_t)(io->addr & 3U);
	return (address & ADDRESS_ENABLE) != 0;
}

/* The copy of its expansion ROM, and so where that is, is the device model's. */
static bool is_rom_register(const struct passthru_dev *dev, uint32_t reg)
{
	return (dev->given.type & ACRN_PCIDEV_ROM) != 0 && (reg & ~3U) == REG_ROM;
}

static enum passthru_result access_claimed(struct passthru_dev *dev, uint32_t reg, bool is_config, struct io_access *io)
{
	enum passthru_result result = PASSTHRU_DONE;

	if (!atomic_cas(&dev->busy, 0U, 1U))
		return PASSTHRU_BUSY;
	if (is_config)
		access_config(dev, reg, io);
	else
		result = passthru_bar_access(dev, io);
	atomic_store(&dev->busy, 0U);
	return result;
}

enum passthru_result passthru_access(struct vm *vm, struct io_access *io)
{
	enum passthru_result result = PASSTHRU_NOT_MINE;
	struct passthru_dev *dev;
	uint32_t place;

	if (config_place(vm, io, &place)) {
		if (place < PAGE_SIZE)
			note_pciexbar(vm, place, io);
		dev = find_virtual(vm, (uint16_t)(place >> 12));
		return dev == NULL || is_rom_register(dev, place & 0xFFFU) ? PASSTHRU_NOT_MINE :
			access_claimed(dev, place & 0xFFFU, true, io);
	}
	for (unsigned int i = 0; i < vm->device_count && result == PASSTHRU_NOT_MINE; i++)
		result = access_claimed(vm->device[i], 0, false, io);
	return result;
}
