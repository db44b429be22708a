/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * PCI functions of the guest: config space, BARs, capabilities, MSI, MSI-X, INTx. A driver (dev/, virtio/)
 * fills in a function in its init() with the pci_set_/pci_add_ calls and answers through struct pci_ops.
 *
 * Locks: config accesses are serialised (cfg_* and bar_moved callbacks never run twice at once).
 * BAR callbacks run on any I/O thread, several at once, and take the device's own lock. The interrupt
 * calls may be made from any thread, with any lock of the device held; msix_changed runs without locks.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define PCI_BARS	6
#define PCI_CFG_SIZE	256

#define PCI_MEM32_BASE	0x80000000ull
#define PCI_MEM32_END	0xE0000000ull
#define PCI_MEM64_BASE	0x4000000000ull
#define PCI_MEM64_END	0x8000000000ull
#define PCI_IO_BASE	0x2000u
#define PCI_IO_END	0x10000u
#define PCI_ECAM_BASE	0xE0000000ull
#define PCI_ECAM_SIZE	0x10000000ull

enum pci_bar_type { PCI_BAR_NONE, PCI_BAR_IO, PCI_BAR_MEM32, PCI_BAR_MEM64, PCI_BAR_HIGH /* of a MEM64 */ };

struct pci_func;

struct pci_ops {
	/* size 1, 2, 4 or 8; off + size never passes the end of the BAR. */
	uint64_t (*bar_read)(struct pci_func *f, int bar, uint64_t off, unsigned int size);
	void (*bar_write)(struct pci_func *f, int bar, uint64_t off, unsigned int size, uint64_t value);
	/* Optional: the BAR now answers at addr (enabled) or not at all. Register ioeventfds here. */
	void (*bar_moved)(struct pci_func *f, int bar, uint64_t addr, bool enabled);
	/* Optional: return true if handled; else the core reads or writes cfg[] by its masks. */
	bool (*cfg_read)(struct pci_func *f, unsigned int off, unsigned int size, uint32_t *value);
	bool (*cfg_write)(struct pci_func *f, unsigned int off, unsigned int size, uint32_t value);
	/* Optional: after the core has stored a write there. */
	void (*cfg_written)(struct pci_func *f, unsigned int off, unsigned int size);
	/* Optional: entry vec of MSI-X (-1: all) may now have another address, data or mask. */
	void (*msix_changed)(struct pci_func *f, int vec);
};

struct pci_bar {
	enum pci_bar_type type;
	bool enabled;		/* answers now */
	uint64_t size;		/* power of two */
	uint64_t addr;		/* what the guest wrote, whether it decodes or not */
	uint64_t initial;	/* given at start, again after a reset */
	struct pci_func *func;	/* for the I/O handler */
};

/* The expansion ROM: a copy, which the guest reads where it put it. */
struct pci_rom {
	const uint8_t *data;
	uint64_t len;		/* of data; reads behind it give ones */
	uint64_t size;		/* of the range, 0: there is none */
	uint64_t addr, initial;
	bool enabled;
};

struct pci_msix_entry {
	uint64_t addr;
	uint32_t data;
	uint32_t ctrl;		/* bit 0 masked */
};

struct pci_func {
	uint8_t bus, dev, fn;
	char name[32];		/* of the driver, for messages */
	const struct pci_ops *ops;
	void *priv;		/* of the driver */

	/* The rest belongs to bus/pci*.c. */
	uint8_t cfg[PCI_CFG_SIZE];
	uint8_t wmask[PCI_CFG_SIZE];	/* bits that a guest may write */
	uint8_t reset_cfg[PCI_CFG_SIZE];	/* as at the end of init() */
	struct pci_bar bar[PCI_BARS];
	struct pci_rom rom;
	unsigned int cap_end;		/* first byte free for a capability */
	unsigned int msi_cap, msix_cap;	/* offset, 0: none */
	int msix_bar;
	unsigned int msix_count;
	pthread_mutex_t irq_lock;	/* msix table and pending bits, intx state; a leaf lock */
	struct pci_msix_entry *msix;
	uint8_t *msix_pending;
	int gsi;			/* of INTx, -1: none */
	bool intx_asserted;
	bool intx_low;			/* the line, as the guest was told */
	uint16_t msix_seen;		/* control word and bus-master bit at the last update */
	bool master_seen;
	struct pci_func *next;
};

struct pci_ids {
	uint16_t vendor, device;
	uint8_t revision, class, subclass, progif;
	uint16_t subvendor, subdevice;
};

void pci_set_ids(struct pci_func *f, const struct pci_ids *ids);
void pci_set_ops(struct pci_func *f, const struct pci_ops *ops, void *priv);

/*
 * Adds a BAR of size bytes (rounded up to a power of two, at least 4 for I/O and 4096 for memory) and gives it
 * an address. MEM64 takes two indices. Returns 0, -EINVAL (bad or used index) or -ENOSPC (no room in the
 * window).
 */
int pci_add_bar(struct pci_func *f, int idx, enum pci_bar_type type, uint64_t size);

/*
 * An expansion ROM of len bytes; data must outlive the function. The guest switches it on by its own bit alone,
 * whatever the command register says, for that may be the hypervisor's. -EINVAL (no bytes, too many, there is one),
 * -ENOSPC.
 */
int pci_add_rom(struct pci_func *f, const void *data, uint64_t len);

/*
 * Appends a capability: id and next are made here, body (len bytes) follows at +2. Read-only for the guest
 * unless pci_cfg_writable() says otherwise. Returns the offset in config space, or -ENOSPC.
 */
int pci_add_cap(struct pci_func *f, uint8_t id, const void *body, unsigned int len);
void pci_cfg_writable(struct pci_func *f, unsigned int off, unsigned int len);

/* Interrupts: each returns 0 or -errno. count: 1..32 (power of two) for MSI, 1..2048 for MSI-X. */
int pci_add_msi(struct pci_func *f, unsigned int count);
int pci_add_msix(struct pci_func *f, int bar, unsigned int count);	/* makes BAR bar: table, then pending bits */
int pci_add_intx(struct pci_func *f);	/* the next GSI from 16 on, pin A..D for function 0..3 */

bool pci_msi_enabled(struct pci_func *f);
bool pci_msix_enabled(struct pci_func *f);
/* Raise vector vec; out-of-range and masked vectors are safe (masked: pending until unmasked). */
void pci_msi_post(struct pci_func *f, unsigned int vec);
void pci_msix_post(struct pci_func *f, unsigned int vec);
/* The INTx level; nothing reaches the guest while it has INTx disabled. */
void pci_intx_set(struct pci_func *f, bool asserted);
/* What MSI-X entry vec sends now; false if out of range, masked or MSI-X off. For irqfds. */
bool pci_msix_get(struct pci_func *f, unsigned int vec, uint64_t *addr, uint32_t *data);

static inline bool pci_bus_master(const struct pci_func *f)
{
	return (f->cfg[4] & 4) != 0;
}

/* --- for the core: main, ioreq, lpc, acpi ----------------------------------------------------------- */

/* A new function at an address; NULL (logged) if taken or out of range. */
struct pci_func *pci_func_create(unsigned int bus, unsigned int dev, unsigned int fn, const char *name);
void pci_func_destroy(struct pci_func *f);
struct pci_func *pci_func_find(unsigned int bus, unsigned int dev, unsigned int fn);
/* After all init(): multi-function bits, the state a reset returns to. */
void pci_start(void);
/*
 * As the RST# pin: config space as at pci_start(), BARs disabled, interrupts low. Before the device's own
 * reset.
 */
void pci_func_reset(struct pci_func *f);
void pci_exit(void);

/* Where config space is mapped: at PCI_ECAM_BASE until somebody moves it. size 0: nowhere. */
void pci_ecam_move(uint64_t base, uint64_t size);
bool pci_ecam_holds(uint64_t addr, uint64_t *offset);
uint64_t pci_ecam_base(void);
uint64_t pci_ecam_size(void);

/* One config access; reg up to 4095, size 1, 2, 4. Nobody there: all ones. Never inside io_dispatch(). */
uint32_t pci_cfg_read(uint16_t bdf, unsigned int reg, unsigned int size);
void pci_cfg_write(uint16_t bdf, unsigned int reg, unsigned int size, uint32_t value);

/* Calls fn for each function; for the tables of ACPI. */
void pci_for_each(void (*fn)(struct pci_func *f, void *arg), void *arg);

#define PCI_BDF(b, d, f)	((uint16_t)((b) << 8 | (d) << 3 | (f)))
