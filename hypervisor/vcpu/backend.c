/* SPDX-License-Identifier: BSD-3-Clause */
/* The vendor back ends this binary carries; the first whose probe finds nothing to say is used. */
#include "vcpu/backend.h"

#include "lib/log.h"
#include "lib/panic.h"
#include "vcpu/mitigation.h"
#include "vcpu/svm/svm.h"
#include "vcpu/vmx/vmx.h"

static const struct vcpu_backend *const backends[] = { &vmx_backend, &svm_backend };

const struct vcpu_backend *vcpu_backend;
bool vcpu_plain_apic;

void vcpu_backend_probe(void)
{
	const char *why[ARRAY_SIZE(backends)];

	mitigation_probe();
	for (size_t i = 0; i < ARRAY_SIZE(backends); i++) {
		why[i] = backends[i]->probe();
		if (why[i] == NULL) {
			vcpu_backend = backends[i];
			log_info("vcpu: using %s", vcpu_backend->name);
			return;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(backends); i++)
		log_warn("vcpu: %s cannot be used: %s", backends[i]->name, why[i]);
	panic("this CPU cannot run virtual machines");
}
