/* SPDX-License-Identifier: BSD-3-Clause */
/* See last_log.h; the log serialises the sink. */
#include "hw/last_log.h"

#include "hw/paging.h"
#include "lib/kept_log.h"
#include "lib/log.h"

#define LINE_SIZE 200U

_Static_assert(sizeof(struct kept_log) == LAST_LOG_SIZE, "the whole of it");

static struct kept_log *kept;

static void keep(const char *text, size_t len)
{
	kept_log_write(kept, text, len);
}

static void show(const struct kept_log *last)
{
	char line[LINE_SIZE];
	uint32_t at = 0;

	log_warn("the last run ended badly; the end of its log:");
	while (kept_log_line(last, &at, line, sizeof(line)))
		log_warn("last run: %s", line);
	log_warn("that was the end of the last run's log");
}

bool last_log_is_at(hpa_t hpa)
{
	return kept_log_is_whole(phys_to_virt(hpa));
}

void last_log_init(hpa_t hpa)
{
	kept = phys_to_virt(hpa);
	if (kept_log_is_wanted(kept))
		show(kept);
	kept_log_start(kept);
	(void)log_add_sink(keep);
}

void last_log_want(void)
{
	if (kept != NULL)
		kept_log_want(kept);
}
