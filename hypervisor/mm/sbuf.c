/* SPDX-License-Identifier: BSD-3-Clause */
/* See sbuf.h. The element is there before the tail that says so: a release store. */
#include "mm/sbuf.h"

#include "lib/atomic.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/util.h"
#include "mm/pgtable.h"

int sbuf_init(struct sbuf *s, void *page, uint32_t ele_size)
{
	struct acrn_sbuf header;
	uint32_t room = PAGE_SIZE - sizeof(header);

	memcpy(&header, page, sizeof(header));
	if (header.magic != ACRN_SBUF_MAGIC || header.ele_size != ele_size ||
	    header.ele_num < 2 || header.ele_num > room / ele_size ||
	    header.size != header.ele_num * ele_size ||
	    (header.flags & ~(uint64_t)ACRN_SBUF_COUNT_OVERRUN) != 0)
		return -EINVAL;
	if (header.head >= header.size || header.head % ele_size != 0 ||
	    header.tail >= header.size || header.tail % ele_size != 0)
		return -EINVAL;
	*s = (struct sbuf){
		.page = page,
		.size = header.size,
		.ele_size = ele_size,
		.tail = header.tail,
		.counts_overruns = (header.flags & ACRN_SBUF_COUNT_OVERRUN) != 0,
	};
	return 0;
}

static bool overrun(struct sbuf *s)
{
	if (s->counts_overruns)
		atomic_store_relaxed(&s->page->overrun_cnt,
				     atomic_load_relaxed(&s->page->overrun_cnt) + 1U);
	return false;
}

bool sbuf_put(struct sbuf *s, const void *element)
{
	uint32_t next = s->tail + s->ele_size;
	uint32_t head;

	if (s->page == NULL)
		return false;
	if (next == s->size)
		next = 0;
	head = atomic_load(&s->page->head);
	if (next == head)
		return overrun(s);
	if (head >= s->size)
		return false;
	memcpy((uint8_t *)(s->page + 1) + s->tail, element, s->ele_size);
	s->tail = next;
	atomic_store(&s->page->tail, next);
	return true;
}
