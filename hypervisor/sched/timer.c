/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of a CPU's timers, and IRQ_TIMER. */
#include "sched/timer.h"

#include "hw/irq.h"
#include "hw/lapic_timer.h"
#include "hw/percpu.h"
#include "hw/tsc.h"

static DEFINE_PERCPU(struct list, timers);

void timer_init(struct timer *t, void (*expired)(void *ctx), void *ctx)
{
	list_init(&t->node);
	t->deadline = 0;
	t->expired = expired;
	t->ctx = ctx;
}

void timer_cpu_init(void)
{
	list_init(&this_cpu(timers));
	irq_register(IRQ_TIMER, timer_run);
}

static struct timer *first(struct list *head)
{
	return list_is_empty(head) ? NULL : list_entry(head->next, struct timer, node);
}

static void program(struct list *head)
{
	struct timer *t = first(head);

	if (t != NULL)
		lapic_timer_set(t->deadline);
	else
		lapic_timer_stop();
}

void timer_set(struct timer *t, uint64_t deadline)
{
	struct list *head = &this_cpu(timers);
	struct list *pos;

	list_remove(&t->node);
	t->deadline = deadline;
	list_for_each(pos, head)
		if (list_entry(pos, struct timer, node)->deadline > deadline)
			break;
	list_insert_before(pos, &t->node);
	if (first(head) == t)
		lapic_timer_set(deadline);
}

/* The hardware may fire once for nothing: cheaper than programming it at each cancellation. */
void timer_cancel(struct timer *t)
{
	list_remove(&t->node);
}

void timer_run(void)
{
	struct list *head = &this_cpu(timers);
	struct timer *t = first(head);

	while (t != NULL && t->deadline <= rdtsc()) {
		list_remove(&t->node);
		t->expired(t->ctx);
		t = first(head);
	}
	program(head);
}
