// SPDX-License-Identifier: GPL-2.0-only
/*
 * The interrupt by which the hypervisor says "look at the request pages". A kernel built as an ACRN
 * guest has a gate for it and lends it to us. Debian's has not: then we take a vector of CPU 0 through
 * a small interrupt domain above the kernel's vector domain, and tell the hypervisor its number. The
 * hypervisor raises it on vCPU 0 only, so the interrupt must never move.
 */
#define pr_fmt(fmt) "acrn_hsm: " fmt

#include <asm/hw_irq.h>
#include <asm/irqdomain.h>

#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/module.h>
#include <linux/syscore_ops.h>

#include "compat.h"
#include "hsm.h"

static char *upcall = "auto";
module_param(upcall, charp, 0444);
MODULE_PARM_DESC(upcall, "where the upcall arrives: auto, kernel (its own gate), vector (one of ours)");

static struct fwnode_handle *fwnode;
static struct irq_domain *domain;
static unsigned int virq;
static unsigned int vector;

typedef void (*setup_handler_t)(void (*handler)(void));
typedef void (*remove_handler_t)(void);
static remove_handler_t kernel_remove;

static irqreturn_t on_upcall(int irq, void *cookie)
{
	hsm_vm_dispatch_all();
	return IRQ_HANDLED;
}

static int chip_set_affinity(struct irq_data *d, const struct cpumask *mask, bool force)
{
	struct irq_data *parent = d->parent_data;
	int ret;

	if (!cpumask_test_cpu(0, mask))
		return -EINVAL;
	ret = parent->chip->irq_set_affinity(parent, cpumask_of(0), force);
	return ret < 0 ? ret : IRQ_SET_MASK_OK;
}

static struct irq_chip chip = {
	.name = "ACRN-UPCALL",
	.irq_ack = irq_chip_ack_parent,
	.irq_retrigger = irq_chip_retrigger_hierarchy,
	.irq_set_affinity = chip_set_affinity,
};

static int domain_alloc(struct irq_domain *d, unsigned int irq, unsigned int nr, void *info)
{
	int ret = irq_domain_alloc_irqs_parent(d, irq, nr, info);

	if (ret)
		return ret;
	irq_domain_set_info(d, irq, 0, &chip, NULL, handle_edge_irq, NULL, "edge");
	return 0;
}

static const struct irq_domain_ops domain_ops = {
	.alloc = domain_alloc,
	.free = irq_domain_free_irqs_common,
};

static int tell_vector(unsigned int v)
{
	long ret = hsm_hypercall(ACRN_HC_SET_CALLBACK_VECTOR, v, 0);

	return ret < 0 ? ret : 0;
}

static int request_vector(void)
{
	struct irq_data *data;
	int ret;

	ret = request_irq(virq, on_upcall, IRQF_NOBALANCING | IRQF_NO_THREAD | IRQF_NO_SUSPEND,
			  "acrn-hsm", &chip);
	if (ret)
		return ret;
	ret = irq_set_affinity(virq, cpumask_of(0));
	data = irq_get_irq_data(virq);
	if (!ret && !cpumask_test_cpu(0, irq_data_get_effective_affinity_mask(data)))
		ret = -EBUSY;
	if (!ret) {
		vector = irqd_cfg(data)->vector;
		ret = tell_vector(vector);
	}
	if (ret)
		free_irq(virq, &chip);
	return ret;
}

static int vector_init(void)
{
	struct irq_alloc_info info = { .mask = cpumask_of(0) };
	int ret;

	fwnode = irq_domain_alloc_named_fwnode("acrn-upcall");
	if (!fwnode)
		return -ENOMEM;
	domain = irq_domain_create_hierarchy(x86_vector_domain, 0, 1, fwnode, &domain_ops, NULL);
	ret = -ENOMEM;
	if (!domain)
		goto free_fwnode;
	ret = irq_domain_alloc_irqs(domain, 1, NUMA_NO_NODE, &info);
	if (ret < 0)
		goto remove_domain;
	virq = ret;
	ret = request_vector();
	if (ret)
		goto dispose;
	pr_info("upcall: irq %u, vector %#x of CPU 0\n", virq, vector);
	return 0;
dispose:
	irq_dispose_mapping(virq);
remove_domain:
	irq_domain_remove(domain);
free_fwnode:
	irq_domain_free_fwnode(fwnode);
	return ret;
}

static void vector_exit(void)
{
	if (tell_vector(ACRN_CALLBACK_VECTOR))
		pr_warn("the hypervisor does not take the upcall vector back\n");
	free_irq(virq, &chip);
	irq_dispose_mapping(virq);
	irq_domain_remove(domain);
	irq_domain_free_fwnode(fwnode);
}

/* The hypervisor starts afresh after S3 and hibernation, and the vector may have moved. */
static void on_resume(void)
{
	if (!virq)
		return;
	vector = irqd_cfg(irq_get_irq_data(virq))->vector;
	if (tell_vector(vector))
		pr_err("the hypervisor does not take upcall vector %#x\n", vector);
}

static struct syscore_ops syscore = {
	.resume = on_resume,
};

static int kernel_init(void)
{
	setup_handler_t setup = (setup_handler_t)__symbol_get("acrn_setup_intr_handler");

	if (!setup)
		return -ENOENT;
	kernel_remove = (remove_handler_t)__symbol_get("acrn_remove_intr_handler");
	if (!kernel_remove) {
		__symbol_put("acrn_setup_intr_handler");
		return -ENOENT;
	}
	setup(hsm_vm_dispatch_all);
	pr_info("upcall: the kernel's own gate\n");
	return 0;
}

int hsm_upcall_init(void)
{
	bool any = !strcmp(upcall, "auto");
	int ret = -EINVAL;

	if (any || !strcmp(upcall, "kernel"))
		ret = kernel_init();
	if (ret && (any || !strcmp(upcall, "vector"))) {
		ret = vector_init();
		if (!ret)
			register_syscore_ops(&syscore);
	}
	if (ret)
		pr_err("no interrupt for the upcall (upcall=%s): error %d\n", upcall, ret);
	return ret;
}

void hsm_upcall_exit(void)
{
	if (kernel_remove) {
		kernel_remove();
		/* it may be running: an interrupt is a read section */
		synchronize_rcu();
		__symbol_put("acrn_remove_intr_handler");
		__symbol_put("acrn_setup_intr_handler");
		return;
	}
	unregister_syscore_ops(&syscore);
	vector_exit();
}
