/* SPDX-License-Identifier: BSD-3-Clause */
/* The two halves of the KVM stand-in for the HSM: the VM (hsm_kvm.c) and its processors (hsm_kvm_run.c). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "hsm.h"

struct acrn_vm_event;

struct kvm_fake {
	int kvm_fd, vm_fd;
	unsigned int vcpus;
	bool has_regs;
	uint32_t run_size;		/* of struct kvm_run with what follows */
	struct acrn_ioreq *page;
	void *event_page;
	int event_fd;
};
extern struct kvm_fake fake;

int fake_ioctl(int fd, unsigned long request, void *arg);

int fake_vcpus_create(void);
int fake_vcpu_fd(unsigned int id);
void fake_vcpus_destroy(void);
int fake_vcpus_set_regs(const struct acrn_vcpu_regs *regs);
int fake_vcpus_start(void);
void fake_vcpus_stop(void);	/* none of them runs any more */
void fake_event(uint32_t type);
