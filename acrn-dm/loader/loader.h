/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Puts the guest's software into its memory and says where vCPU 0 begins. Runs again at each reset: memory is
 * not cleared then, everything that matters is written anew.
 */
#pragma once

struct acrn_vcpu_regs;

/* Opens the files that config names. Returns 0 or -errno (logged); loader_close() is due in any case. */
int loader_open(void);
void loader_close(void);
/* With firmware and -k: kernel, initrd and command line as items of fw_cfg. Returns 0 or -errno (logged). */
int loader_add_items(void);
/* Loads what config names and fills in *regs. Returns 0 or -errno (logged, with the file's name). */
int loader_load(struct acrn_vcpu_regs *regs);
