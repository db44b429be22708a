/* SPDX-License-Identifier: BSD-3-Clause */
/* What the virtio tests can ask of the hypervisor that is not there. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define FAKE_MSI_ADDR	0xfee00000ull
#define FAKE_VCPUS	4u

extern bool fake_no_ioeventfd;		/* refuse them: notifications then come the slow way */

void fake_hsm_reset(void);
/* Messages with that data word since the reset. */
unsigned int fake_msi_count(uint32_t data);
/* Waits until there are at least n; false if they do not come. */
bool fake_msi_wait(uint32_t data, unsigned int n);
bool fake_line_is_low(unsigned int gsi);
unsigned int fake_ioeventfd_count(void);
/* The message that an irqfd of that descriptor sends now; false if there is none. */
bool fake_irqfd(int fd, uint64_t *data);
/* Signals the eventfd that was registered for such a write; false if none was. */
bool fake_ioeventfd_write(bool is_port, uint64_t addr, unsigned int len, uint64_t value);
