/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Configuration space: the MSI capability, and the switch of MSI-X. One CPU at a time is in here; a CPU that waits does
 * what others want of it, since taking memory away from the Service VM needs all CPUs.
 */
#include "vm/service_msi.h"

#include "hw/irq.h"
#include "hw/pci.h"
#include "hw/smp_call.h"
#include "lib/atomic.h"
#include "lib/bits.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/util.h"
#include "x86/apic.h"

#define DEVICES_MAX 128U
#define CONFIG_CAPS 0x40U
#define CONFIG_SIZE 0x100U
#define CAP_MSI 0x05U
#define CAP_MSIX 0x11U
#define CONTROL 2U
#define ADDRESS 4U
#define MSI_ENABLE 1U
#define MSI_SEVERAL (7U << 4) /* how many messages, as a power of two: we make one */
#define MSI_64 (1U << 7)
#define MSIX_ENABLE (1U << 15)

static struct service_msi_dev devices[DEVICES_MAX];
static unsigned int device_count; /* grows only */
static uint32_t busy;

static void claim(void)
{
	while (!atomic_cas(&busy, 0U, 1U)) {
		smp_call_poll();
		cpu_relax();
	}
}

static void release(void)
{
	atomic_store(&busy, 0U);
}

static struct service_msi_dev *find(uint16_t bdf)
{
	unsigned int count = atomic_load(&device_count);

	for (unsigned int i = 0; i < count; i++)
		if (devices[i].bdf == bdf)
			return &devices[i];
	return NULL;
}

static struct service_msi_dev *find_or_make(uint16_t bdf)
{
	struct service_msi_dev *dev = find(bdf);

	if (dev != NULL)
		return dev;
	if (device_count == DEVICES_MAX) {
		log_warn("iommu: %02x:%02x.%u is one device too many to interrupt", PCI_BUS(bdf), PCI_DEV(bdf),
			 PCI_FN(bdf));
		return NULL;
	}
	dev = &devices[device_count];
	*dev = (struct service_msi_dev){ .bdf = bdf };
	atomic_store(&device_count, device_count + 1U);
	return dev;
}

/* Vectors of the hypervisor's own, and modes that are no interrupt, are not made. */
static bool parse(const struct service_msi *m, struct msi_route *route)
{
	*route = (struct msi_route){
		.apic_id = (uint32_t)(m->address >> MSI_ADDR_DEST_SHIFT) & 0xFFU,
		.vector = (uint8_t)m->data,
		.mode = (uint8_t)(m->data >> MSI_DATA_MODE_SHIFT & 7U),
		.is_logical = (m->address & MSI_ADDR_LOGICAL) != 0,
	};
	return m->address >> 20 == MSI_ADDR_BASE >> 20 && route->vector >= IRQ_FORWARD_FIRST &&
	       route->vector <= IRQ_FORWARD_LAST;
}

int service_msi_route(uint16_t bdf, struct service_msi *m, bool *fresh)
{
	struct msi_route route;
	int err;

	*fresh = false;
	if (!parse(m, &route)) {
		service_msi_free(bdf, m);
		return -EINVAL;
	}
	if (m->active && iommu_change_irq(bdf, &route, &m->message) == 0)
		return 0;
	service_msi_free(bdf, m);
	err = iommu_map_irq(bdf, &route, &m->message);
	m->active = err == 0;
	*fresh = m->active;
	if (err != 0)
		log_warn("iommu: %02x:%02x.%u gets no entry for an interrupt: error %d", PCI_BUS(bdf), PCI_DEV(bdf),
			 PCI_FN(bdf), -err);
	return err;
}

void service_msi_free(uint16_t bdf, struct service_msi *m)
{
	if (m->active)
		iommu_unmap_irq(bdf, &m->message);
	m->active = false;
}

static uint32_t word(const struct service_msi_dev *dev, unsigned int at, unsigned int size)
{
	uint32_t value = 0;

	for (unsigned int i = 0; i < size; i++)
		value |= (uint32_t)dev->shadow[at + i] << (8U * i);
	return value;
}

static unsigned int data_at(const struct service_msi_dev *dev)
{
	return (dev->shadow[CONTROL] & MSI_64) != 0 ? 12U : 8U;
}

static void program(const struct service_msi_dev *dev, uint32_t control)
{
	unsigned int data = data_at(dev);

	pci_write(dev->bdf, dev->cap + CONTROL, 2, control & ~MSI_ENABLE);
	if ((control & MSI_ENABLE) == 0)
		return;
	pci_write(dev->bdf, dev->cap + ADDRESS, 4, (uint32_t)dev->msi.message.address);
	if (data == 12U)
		pci_write(dev->bdf, dev->cap + ADDRESS + 4U, 4, (uint32_t)(dev->msi.message.address >> 32));
	pci_write(dev->bdf, dev->cap + data, 2, dev->msi.message.data);
	pci_write(dev->bdf, dev->cap + CONTROL, 2, control);
}

static void msi_changed(struct service_msi_dev *dev)
{
	uint32_t control = word(dev, CONTROL, 2) & ~MSI_SEVERAL;
	bool was_on = dev->msi.active, fresh;

	dev->msi.address = word(dev, ADDRESS, 4);
	if (data_at(dev) == 12U)
		dev->msi.address |= (uint64_t)word(dev, ADDRESS + 4U, 4) << 32;
	dev->msi.data = word(dev, data_at(dev), 2);
	if ((control & MSI_ENABLE) == 0) {
		program(dev, control);
		service_msi_free(dev->bdf, &dev->msi);
	} else if (service_msi_route(dev->bdf, &dev->msi, &fresh) != 0) {
		program(dev, control & ~MSI_ENABLE);
	} else if (fresh || !was_on) {
		program(dev, control);
	}
}

static void learn_msi(struct service_msi_dev *dev, uint8_t cap)
{
	if (dev->cap == cap)
		return;
	dev->cap = cap;
	for (unsigned int i = 0; i < sizeof(dev->shadow); i += 4U) {
		uint32_t value = pci_read(dev->bdf, cap + i, 4);

		for (unsigned int n = 0; n < 4U; n++)
			dev->shadow[i + n] = (uint8_t)(value >> (8U * n));
	}
}

/* Control, address and data; the mask and what is pending are the device's. False: not this. */
static bool write_msi(uint16_t bdf, uint16_t reg, uint8_t size, uint32_t value)
{
	uint8_t cap = pci_find_capability(bdf, CAP_MSI);
	struct service_msi_dev *dev;
	unsigned int end;

	if (cap == 0 || cap + 16U > CONFIG_SIZE)
		return false;
	end = (pci_read(bdf, cap + CONTROL, 2) & MSI_64) != 0 ? 14U : 10U;
	if (!ranges_overlap(reg, size, cap + CONTROL, end - CONTROL))
		return false;
	dev = find_or_make(bdf);
	if (dev == NULL)
		return true;
	learn_msi(dev, cap);
	for (unsigned int i = 0; i < size; i++) {
		unsigned int at = reg + i - cap;

		if (at == CONTROL)
			dev->shadow[at] = (uint8_t)((dev->shadow[at] & ~(MSI_ENABLE | MSI_SEVERAL)) |
						    (value >> (8U * i) & (MSI_ENABLE | MSI_SEVERAL)));
		else if (at >= ADDRESS && at < end)
			dev->shadow[at] = (uint8_t)(value >> (8U * i));
	}
	msi_changed(dev);
	return true;
}

/* Before MSI-X goes on its table is ours; after it went off it is the device's again. */
static bool write_msix(uint16_t bdf, uint16_t reg, uint8_t size, uint32_t value)
{
	uint8_t cap = pci_find_capability(bdf, CAP_MSIX);
	struct service_msi_dev *dev;
	bool enable;
	int err = 0;

	if (cap == 0 || !ranges_overlap(reg, size, cap + CONTROL + 1U, 1))
		return false;
	dev = find_or_make(bdf);
	if (dev == NULL)
		return true;
	enable = (value >> ((cap + CONTROL + 1U - reg) * 8U) & MSIX_ENABLE >> 8) != 0;
	if (enable && !dev->msix_on)
		err = service_msix_open(dev, cap);
	if (err != 0)
		log_warn("iommu: %02x:%02x.%u will not interrupt: its MSI-X table cannot be taken: error %d",
			 PCI_BUS(bdf), PCI_DEV(bdf), PCI_FN(bdf), -err);
	pci_write(bdf, reg, size, value);
	if (!enable && dev->msix_on)
		service_msix_close(dev);
	return true;
}

bool service_msi_write(uint16_t bdf, uint16_t reg, uint8_t size, uint32_t value)
{
	bool is_done;

	if (!iommu_filters_irqs() || reg < CONFIG_CAPS || reg >= CONFIG_SIZE)
		return false;
	claim();
	is_done = write_msi(bdf, reg, size, value) || write_msix(bdf, reg, size, value);
	release();
	return is_done;
}

uint32_t service_msi_read(uint16_t bdf, uint16_t reg, uint8_t size, uint32_t value)
{
	const struct service_msi_dev *dev = reg < CONFIG_CAPS || reg >= CONFIG_SIZE ? NULL : find(bdf);

	if (dev == NULL || dev->cap == 0)
		return value;
	for (unsigned int i = 0; i < size; i++) {
		unsigned int at = reg + i - dev->cap;

		if (at < ADDRESS || at >= data_at(dev) + 2U)
			continue;
		value &= ~(0xFFU << (8U * i));
		value |= (uint32_t)dev->shadow[at] << (8U * i);
	}
	return value;
}

bool service_msi_access(struct io_access *io)
{
	unsigned int count = atomic_load(&device_count);
	bool is_done = false;

	if (count == 0)
		return false;
	claim();
	for (unsigned int i = 0; i < count && !is_done; i++) {
		struct service_msi_dev *dev = &devices[i];

		if (!dev->msix_on || !range_within(io->addr, io->size, dev->trapped, dev->trapped_size))
			continue;
		service_msix_access(dev, io);
		is_done = true;
	}
	release();
	return is_done;
}

void service_msi_forget(uint16_t bdf)
{
	struct service_msi_dev *dev = find(bdf);
	uint8_t cap;

	if (dev == NULL)
		return;
	claim();
	if (dev->cap != 0)
		program(dev, word(dev, CONTROL, 2) & ~(MSI_ENABLE | MSI_SEVERAL));
	service_msi_free(bdf, &dev->msi);
	dev->cap = 0;
	if (dev->msix_on) {
		cap = pci_find_capability(bdf, CAP_MSIX);
		pci_write(bdf, cap + CONTROL, 2, pci_read(bdf, cap + CONTROL, 2) & ~MSIX_ENABLE);
		service_msix_close(dev);
	}
	release();
}
