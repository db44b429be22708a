/* SPDX-License-Identifier: BSD-3-Clause */
/* The vendor back ends this binary carries; the first whose probe finds nothing to say is used. */
#include "vcpu/backend.h"

#include "lib/log.h"
#include "lib/panic.h"
#include "vcpu/svm/svm.h"

static const struct vcpu_backend *const backends[] = { &svm_backend };

const struct vcpu_backend *vcpu_backend;

void vcpu_backend_probe(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(backends); i++) {
		const char *why = backends[i]->probe();

		if (why == NULL) {
			vcpu_backend = backends[i];
			log_info("vcpu: using %s", vcpu_backend->name);
			return;
		}
		log_warn("vcpu: %s cannot be used: %s", backends[i]->name, why);
	}
	panic("this CPU cannot run virtual machines");
}
