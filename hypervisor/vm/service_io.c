/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Service VM's buses. Ports are the hardware's but for the few that are emulated; device memory
 * likewise. PCI configuration goes through here so that the hypervisor's own functions stay hidden.
 */
#include "hw/io.h"
#include "hw/pci.h"
#include "hw/platform.h"
#include "hw/power.h"
#include "hw/tsc.h"
#include "hw/uart.h"
#include "lib/bits.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "vcpu/backend.h"
#include "vm/passthru.h"
#include "vm/service.h"
#include "vm/service_msi.h"

#define PM1_SLP_EN (1U << 13)
#define PM1_SLP_TYP_SHIFT 10
#define PCI_CLASS_IOMMU 0x0806U
#define UART_IRQ 4U
#define INPUT_POLL_US 20000U
#define HIDDEN_MAX (8U + ACPI_MAX_IOMMUS)

static uint16_t hidden[HIDDEN_MAX];
static unsigned int hidden_count;

static void must(int err, const char *what)
{
	if (err != 0)
		panic("the Service VM's %s overlaps another device: error %d", what, -err);
}

static uint32_t config_read(void *ctx, uint16_t bdf, uint16_t reg, uint8_t size)
{
	(void)ctx;
	return service_msi_read(bdf, reg, size, pci_read(bdf, reg, size));
}

static void config_write(void *ctx, uint16_t bdf, uint16_t reg, uint8_t size, uint32_t value)
{
	(void)ctx;
	if (!service_msi_write(bdf, reg, size, value))
		pci_write(bdf, reg, size, value);
}

bool service_pci_is_hidden(uint16_t bdf)
{
	for (unsigned int i = 0; i < hidden_count; i++)
		if (hidden[i] == bdf)
			return true;
	return passthru_is_assigned(bdf);
}

static bool config_is_hidden(void *ctx, uint16_t bdf)
{
	(void)ctx;
	return service_pci_is_hidden(bdf);
}

static const struct vpci_ops pci_ops = {
	.read = config_read,
	.write = config_write,
	.is_hidden = config_is_hidden,
};

/* IOMMUs that are PCI functions: those that ACPI names, and what looks like one on bus 0. */
static void hide_iommus(void)
{
	for (unsigned int i = 0; i < platform_acpi.iommu_count; i++)
		if (platform_acpi.iommu[i].bdf != ACPI_NO_BDF)
			hidden[hidden_count++] = platform_acpi.iommu[i].bdf;
	for (unsigned int devfn = 0; devfn < 256 && hidden_count < HIDDEN_MAX; devfn++) {
		uint16_t bdf = (uint16_t)devfn;

		if (pci_read(bdf, 0, 2) != 0xFFFFU && pci_read(bdf, 0xA, 2) == PCI_CLASS_IOMMU)
			hidden[hidden_count++] = bdf;
	}
}

static void add_pci(struct vm *vm)
{
	hpa_t base;
	uint64_t size;
	unsigned int first;

	hide_iommus();
	vpci_init(&vm->pci, &pci_ops, NULL);
	must(vpci_attach_ports(&vm->pci, &vm->io), "PCI ports");
	if (pci_ecam_window(0, &base, &size, &first))
		must(vpci_attach_ecam(&vm->pci, &vm->io, base, (uint8_t)first,
				      (uint8_t)(first + (size >> 20) - 1)),
		     "PCI window");
}

static void uart_send(void *ctx, uint8_t byte)
{
	char c = (char)byte;

	(void)ctx;
	/* The guest sends its own carriage returns. */
	if (c != '\r')
		uart_write(&c, 1);
}

static void uart_irq(void *ctx, bool asserted)
{
	(void)vm_set_gsi(ctx, UART_IRQ, asserted);
}

/*
 * The real port is polled while the guest wants to hear, since its interrupt line belongs to no
 * guest. On the boot CPU; a character that finds no room waits here.
 */
static struct timer input_timer;
static int input_waiting = -1;

static void poll_input(void *ctx)
{
	struct vm *vm = ctx;

	if (vuart_is_listening(&vm->uart)) {
		if (input_waiting < 0)
			input_waiting = uart_read();
		while (input_waiting >= 0 && vuart_receive(&vm->uart, (uint8_t)input_waiting))
			input_waiting = uart_read();
	}
	timer_set(&input_timer, rdtsc() + tsc_from_us(INPUT_POLL_US));
}

static void add_uart(struct vm *vm)
{
	if (uart_port() == 0)
		return;
	timer_init(&input_timer, poll_input, vm);
	timer_set(&input_timer, rdtsc() + tsc_from_us(INPUT_POLL_US));
	vuart_init(&vm->uart, uart_port(), uart_send, uart_irq, vm);
	must(vuart_attach(&vm->uart, &vm->io), "serial port");
}

static bool wants_sleep(uint32_t value, const uint8_t *typ)
{
	return ((value >> PM1_SLP_TYP_SHIFT) & 7U) == typ[0];
}

/* PM1a control: off ends the machine, other sleeps would take the hypervisor's state with them. */
static enum io_result pm1_control(void *dev, struct io_access *io)
{
	uint16_t port = (uint16_t)io->addr;

	(void)dev;
	if (!io->is_write) {
		io->value = io->size == 1 ? in8(port) : in16(port);
		return IO_DONE;
	}
	if (io->size != 1 && (io->value & PM1_SLP_EN) != 0) {
		if (platform_acpi.has_s5 && wants_sleep((uint32_t)io->value, platform_acpi.s5_typ)) {
			log_notice("the Service VM powers the machine off");
			power_off(platform_acpi.s5_typ[0], platform_acpi.s5_typ[1]);
			return IO_DONE;
		}
		log_warn("the Service VM asks for a sleep state that is not supported (PM1 %lx)",
			 io->value);
		return IO_DONE;
	}
	if (io->size == 1)
		out8(port, (uint8_t)io->value);
	else
		out16(port, (uint16_t)io->value);
	return IO_DONE;
}

static void add_power(struct vm *vm)
{
	const struct acpi_gas *pm1 = &platform_acpi.pm1a_cnt;

	if (pm1->address != 0 && pm1->space == 1)
		must(io_bus_add_ports(&vm->io, pm1->address, 2, pm1_control, vm), "PM1 control");
}

/* Every port is the hardware's, but those with somebody on the bus exit. */
static void open_ports(struct vm *vm)
{
	vcpu_backend->intercept(&vm->group, INTERCEPT_PORT, 0, 0x10000, false);
	for (unsigned int i = 0; i < vm->io.count; i++) {
		const struct io_range *r = &vm->io.range[i];

		if (r->space == IO_PORT)
			vcpu_backend->intercept(&vm->group, INTERCEPT_PORT, (uint32_t)r->base,
						(uint32_t)r->size, true);
	}
}

void service_io_init(struct vm *vm)
{
	must(vpic_attach(&vm->pic, &vm->io), "8259 pair");
	add_pci(vm);
	add_uart(vm);
	add_power(vm);
	open_ports(vm);
}

static void do_port(struct io_access *io)
{
	uint16_t port = (uint16_t)io->addr;

	if (io->is_write) {
		if (io->size == 1)
			out8(port, (uint8_t)io->value);
		else if (io->size == 2)
			out16(port, (uint16_t)io->value);
		else
			out32(port, (uint32_t)io->value);
		return;
	}
	io->value = io->size == 1 ? in8(port) : io->size == 2 ? in16(port) : in32(port);
}

/* A port nobody emulates is the hardware's; memory that is not there and no MSI-X table reads as ones. */
enum exit_result service_forward(struct vcpu *vcpu)
{
	if (vcpu->io.space == IO_PORT)
		do_port(&vcpu->io);
	else if (!service_msi_access(&vcpu->io) && !vcpu->io.is_write)
		vcpu->io.value = bytes_mask(vcpu->io.size);
	return vcpu->finish(vcpu);
}
