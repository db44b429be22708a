/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * PCI configuration space of a VM: mechanism #1 (0xCF8/0xCFC) and ECAM in front of one policy
 * function per VM. The Service VM's policy passes to the hardware what is not the hypervisor's.
 * Source: PCI Local Bus 3.0 3.2.2.3.2, PCI Express 5.0 7.2.2.
 */
#pragma once

#include "lib/spinlock.h"
#include "vdev/io_bus.h"

struct vpci_ops {
	/* size 1, 2, 4, aligned, reg 0..4095. bdf: bus 15:8, device 7:3, function 2:0. */
	uint32_t (*read)(void *ctx, uint16_t bdf, uint16_t reg, uint8_t size);
	void (*write)(void *ctx, uint16_t bdf, uint16_t reg, uint8_t size, uint32_t value);
	/* Functions that do not exist for this VM: reads give ones, writes are dropped. */
	bool (*is_hidden)(void *ctx, uint16_t bdf);
};

struct vpci {
	struct spinlock lock; /* of the address latch; above nothing */
	uint32_t address;     /* last dword written to 0xCF8 */
	const struct vpci_ops *ops;
	void *ctx;
	uint64_t ecam_base; /* where ecam_first_bus is */
	uint8_t ecam_first_bus;
};

void vpci_init(struct vpci *v, const struct vpci_ops *ops, void *ctx);

/* Ports 0xCF8-0xCFF (bytes at 0xCF9 are forwarded: the reset register is somebody else's). */
int vpci_attach_ports(struct vpci *v, struct io_bus *bus);

/* base is the address of first_bus (the MCFG table gives that of bus 0). One window a VM. */
int vpci_attach_ecam(struct vpci *v, struct io_bus *bus, uint64_t base, uint8_t first_bus,
		     uint8_t last_bus);
enum io_result vpci_port(void *v, struct io_access *io);
enum io_result vpci_ecam(void *v, struct io_access *io);
