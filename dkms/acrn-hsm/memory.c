// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest RAM: pages of the DM, pinned and put into the guest's address space. Any page size will do.
 * Pages that follow each other in physical memory become one extent, whatever folios they belong to,
 * and a segment begins and ends where the DM says, not where a folio does. What may still be mapped in
 * a guest is never unpinned: a segment that failed half-way keeps its pages until the VM is destroyed.
 */
#define pr_fmt(fmt) "acrn_hsm: " fmt

#include <linux/capability.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "hsm.h"

#define REGIONS_MAX 16384
#define GPA_LIMIT (1ull << 52)
#define PIN_BATCH (PAGE_SIZE / sizeof(struct page *))

/* One hypercall: fits a page, and so does what the hypervisor may read at once. */
#define OPS_MAX 127u
struct region_call {
	struct acrn_set_regions head;
	struct acrn_mem_region op[OPS_MAX];
};
static_assert(sizeof(struct region_call) <= PAGE_SIZE);

static unsigned int max_regions_per_call = OPS_MAX;
module_param(max_regions_per_call, uint, 0644);
MODULE_PARM_DESC(max_regions_per_call, "operations in one memory hypercall, at most 127");

struct extent {
	unsigned long pfn;
	unsigned long pages;
};

#define EXTENTS_PER_BLOCK ((PAGE_SIZE - 32) / sizeof(struct extent))
struct extent_block {
	struct list_head list;
	unsigned int num;
	struct extent e[EXTENTS_PER_BLOCK];
};
static_assert(sizeof(struct extent_block) <= PAGE_SIZE);

struct region {
	struct list_head list;
	u64 gpa;
	u64 len;
	u32 prot;
	bool dead; /* failed half-way: not the guest's RAM, but not to be unpinned before its end */
	struct mm_struct *mm; /* whose locked pages these are */
	unsigned long accounted;
	struct list_head blocks;
};

/* A walk over the extents of a region, in the order of its guest addresses. */
struct cursor {
	struct region *r;
	struct extent_block *block;
	unsigned int index;
	u64 gpa;
};

static void cursor_init(struct cursor *c, struct region *r)
{
	c->r = r;
	c->block = list_first_entry_or_null(&r->blocks, struct extent_block, list);
	c->index = 0;
	c->gpa = r->gpa;
}

static struct extent *cursor_next(struct cursor *c)
{
	struct extent *e;

	if (!c->block)
		return NULL;
	e = &c->block->e[c->index++];
	c->gpa += (u64)e->pages << PAGE_SHIFT;
	if (c->index == c->block->num) {
		bool last = list_is_last(&c->block->list, &c->r->blocks);

		c->block = last ? NULL : list_next_entry(c->block, list);
		c->index = 0;
	}
	return e;
}

static int add_page(struct region *r, unsigned long pfn)
{
	struct extent_block *b = NULL;

	if (!list_empty(&r->blocks)) {
		struct extent *last;

		b = list_last_entry(&r->blocks, struct extent_block, list);
		last = &b->e[b->num - 1];
		if (last->pfn + last->pages == pfn) {
			last->pages++;
			return 0;
		}
	}
	if (!b || b->num == EXTENTS_PER_BLOCK) {
		b = (struct extent_block *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
		if (!b)
			return -ENOMEM;
		list_add_tail(&b->list, &r->blocks);
	}
	b->e[b->num++] = (struct extent){ .pfn = pfn, .pages = 1 };
	return 0;
}

/* Pins up to one batch at va; the number of pages, all of them in the region, or an error. */
static long pin_batch(struct hsm_vm *vm, struct region *r, unsigned long va, unsigned long want,
		      struct page **pages)
{
	int got, i, ret;

	if (fatal_signal_pending(current))
		return -EINTR;
	cond_resched();
	got = pin_user_pages_fast(va, min_t(unsigned long, want, PIN_BATCH),
				  FOLL_WRITE | FOLL_LONGTERM, pages);
	if (got <= 0)
		return got ? got : -EFAULT;
	for (i = 0; i < got; i++) {
		ret = add_page(r, page_to_pfn(pages[i]));
		if (ret) {
			unpin_user_pages(pages + i, got - i);
			return ret;
		}
		atomic_long_inc(&vm->pinned);
	}
	return got;
}

static int pin_region(struct hsm_vm *vm, struct region *r, unsigned long va)
{
	struct page **pages = (struct page **)__get_free_page(GFP_KERNEL);
	unsigned long left = r->len >> PAGE_SHIFT;
	long got = -ENOMEM;

	if (!pages)
		return -ENOMEM;
	while (left) {
		got = pin_batch(vm, r, va, left, pages);
		if (got < 0)
			break;
		va += got << PAGE_SHIFT;
		left -= got;
	}
	free_page((unsigned long)pages);
	return left ? got : 0;
}

static void free_region(struct hsm_vm *vm, struct region *r)
{
	struct extent_block *b, *next;
	struct cursor c;
	struct extent *e;

	for (cursor_init(&c, r); (e = cursor_next(&c));) {
		unpin_user_page_range_dirty_lock(pfn_to_page(e->pfn), e->pages, true);
		atomic_long_sub(e->pages, &vm->pinned);
		cond_resched();
	}
	list_for_each_entry_safe(b, next, &r->blocks, list)
		free_page((unsigned long)b);
	if (r->accounted)
		account_locked_vm(r->mm, r->accounted, false);
	mmdrop(r->mm);
	kfree(r);
}

static long issue(struct hsm_vm *vm, struct region_call *call, unsigned int num)
{
	call->head = (struct acrn_set_regions){
		.vmid = vm->vmid,
		.mr_num = num,
		.regions_gpa = virt_to_phys(call->op),
	};
	return hsm_hypercall(ACRN_HC_SET_MEMORY_REGIONS, virt_to_phys(&call->head), 0);
}

static long issue_one(struct hsm_vm *vm, const struct acrn_mem_region *op)
{
	struct region_call *call = vm->hc_page;

	call->op[0] = *op;
	return issue(vm, call, 1);
}

static long delete_range(struct hsm_vm *vm, u64 gpa, u64 len)
{
	struct acrn_mem_region op = { .type = ACRN_MEM_REGION_DEL, .gpa = gpa, .size = len };

	return len ? issue_one(vm, &op) : 0;
}

/* Fills one call from the cursor; the number of operations. */
static unsigned int fill(struct region_call *call, struct cursor *c)
{
	unsigned int num = 0, max = clamp(READ_ONCE(max_regions_per_call), 1u, OPS_MAX);
	struct extent *e;
	u64 gpa = c->gpa;

	while (num < max && (e = cursor_next(c))) {
		call->op[num++] = (struct acrn_mem_region){
			.type = ACRN_MEM_REGION_ADD,
			.prot = c->r->prot,
			.gpa = gpa,
			.service_vm_gpa = PFN_PHYS(e->pfn),
			.size = (u64)e->pages << PAGE_SHIFT,
		};
		gpa = c->gpa;
	}
	return num;
}

/*
 * Takes back what a failed map_region() has mapped: the calls before the failed one as a whole, of the
 * failed one each operation until the hypervisor knows none. Says nothing about success: the pages
 * stay pinned in any case.
 */
static void unmap_partly(struct hsm_vm *vm, struct region *r, const struct cursor *failed)
{
	struct cursor c = *failed;
	struct extent *e;
	u64 gpa = c.gpa;

	delete_range(vm, r->gpa, failed->gpa - r->gpa);
	while ((e = cursor_next(&c))) {
		if (delete_range(vm, gpa, (u64)e->pages << PAGE_SHIFT) < 0)
			break;
		gpa = c.gpa;
	}
}

static long map_region(struct hsm_vm *vm, struct region *r)
{
	struct region_call *call = vm->hc_page;
	struct cursor c, before;
	unsigned int num;
	long ret;

	cursor_init(&c, r);
	for (before = c; (num = fill(call, &c)); before = c) {
		ret = issue(vm, call, num);
		if (ret < 0) {
			unmap_partly(vm, r, &before);
			return ret;
		}
		cond_resched();
	}
	return 0;
}

static bool overlaps(const struct region *r, u64 gpa, u64 len)
{
	return !r->dead && gpa < r->gpa + r->len && r->gpa < gpa + len;
}

static struct region *find(struct hsm_vm *vm, u64 gpa, u64 len)
{
	struct region *r;

	list_for_each_entry(r, &vm->regions, list)
		if (overlaps(r, gpa, len))
			return r;
	return NULL;
}

static struct region *alloc_region(const struct acrn_memmap *map)
{
	struct region *r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);

	if (!r)
		return NULL;
	r->gpa = map->user_vm_pa;
	r->len = map->len;
	r->prot = ACRN_MEM_TYPE_WB | (map->attr & ACRN_MEM_ACCESS_MASK);
	r->mm = current->mm;
	mmgrab(r->mm);
	INIT_LIST_HEAD(&r->blocks);
	return r;
}

static int set_ram(struct hsm_vm *vm, const struct acrn_memmap *map)
{
	struct region *r;
	long ret;

	if (!PAGE_ALIGNED(map->vma_base) || map->vma_base + map->len < map->vma_base)
		return -EINVAL;
	if (find(vm, map->user_vm_pa, map->len))
		return -EEXIST;
	if (vm->region_num >= REGIONS_MAX)
		return -ENOMEM;
	r = alloc_region(map);
	if (!r)
		return -ENOMEM;
	ret = account_locked_vm(r->mm, map->len >> PAGE_SHIFT, true);
	if (!ret) {
		r->accounted = map->len >> PAGE_SHIFT;
		ret = pin_region(vm, r, map->vma_base);
	}
	if (ret) {
		free_region(vm, r);
		return ret;
	}
	ret = map_region(vm, r);
	r->dead = ret < 0;
	list_add_tail(&r->list, &vm->regions);
	vm->region_num++;
	return ret;
}

/* Hands a device's registers to the guest: for those who may do so, and never RAM of the Service VM. */
static int set_mmio(struct hsm_vm *vm, const struct acrn_memmap *map)
{
	struct acrn_mem_region op = {
		.type = ACRN_MEM_REGION_ADD,
		.prot = ACRN_MEM_TYPE_UC | (map->attr & ACRN_MEM_ACCESS_MASK),
		.gpa = map->user_vm_pa,
		.service_vm_gpa = map->service_vm_pa,
		.size = map->len,
	};

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (!PAGE_ALIGNED(map->service_vm_pa) || map->service_vm_pa >= GPA_LIMIT ||
	    map->len > GPA_LIMIT - map->service_vm_pa)
		return -EINVAL;
	if (region_intersects(map->service_vm_pa, map->len, IORESOURCE_SYSTEM_RAM,
			      IORES_DESC_NONE) != REGION_DISJOINT)
		return -EPERM;
	return issue_one(vm, &op);
}

static int set_fetch(struct hsm_vm *vm, const struct acrn_memmap *map)
{
	struct acrn_mem_region op = {
		.type = ACRN_MEM_REGION_FETCH,
		.gpa = map->user_vm_pa,
		.size = map->len,
	};

	return hsm_hv.extensions & ACRN_EXTENSION_FETCH ? issue_one(vm, &op) : -EINVAL;
}

static bool range_is_good(const struct acrn_memmap *map)
{
	return map->len >= PAGE_SIZE && PAGE_ALIGNED(map->len) && PAGE_ALIGNED(map->user_vm_pa) &&
	       map->user_vm_pa < GPA_LIMIT && map->len <= GPA_LIMIT - map->user_vm_pa;
}

int hsm_memory_set(struct hsm_vm *vm, const struct acrn_memmap *map)
{
	if (!range_is_good(map))
		return -EINVAL;
	switch (map->type) {
	case ACRN_MEMMAP_RAM:
		return set_ram(vm, map);
	case ACRN_MEMMAP_MMIO:
		return set_mmio(vm, map);
	case ACRN_MEMMAP_FETCH:
		return set_fetch(vm, map);
	default:
		return -EINVAL;
	}
}

static int unset_ram(struct hsm_vm *vm, const struct acrn_memmap *map)
{
	struct region *r = find(vm, map->user_vm_pa, map->len);
	long ret;

	if (!r || r->gpa != map->user_vm_pa || r->len != map->len)
		return -EINVAL;
	ret = delete_range(vm, r->gpa, r->len);
	if (ret < 0)
		return ret;
	list_del(&r->list);
	vm->region_num--;
	free_region(vm, r);
	return 0;
}

int hsm_memory_unset(struct hsm_vm *vm, const struct acrn_memmap *map)
{
	if (!range_is_good(map))
		return -EINVAL;
	switch (map->type) {
	case ACRN_MEMMAP_RAM:
		return unset_ram(vm, map);
	case ACRN_MEMMAP_MMIO:
		return delete_range(vm, map->user_vm_pa, map->len);
	default:
		return -EINVAL;
	}
}

void hsm_memory_free(struct hsm_vm *vm)
{
	struct region *r, *next;

	list_for_each_entry_safe(r, next, &vm->regions, list) {
		list_del(&r->list);
		free_region(vm, r);
	}
	vm->region_num = 0;
}

int hsm_pin_page(struct hsm_pin *pin, u64 uaddr)
{
	struct page *page;
	int got;

	if (!PAGE_ALIGNED(uaddr))
		return -EINVAL;
	got = pin_user_pages_fast(uaddr, 1, FOLL_WRITE | FOLL_LONGTERM, &page);
	if (got != 1)
		return got < 0 ? got : -EFAULT;
	pin->page = page;
	pin->va = page_address(page);
	return 0;
}

void hsm_unpin_page(struct hsm_pin *pin)
{
	if (!pin->page)
		return;
	unpin_user_pages_dirty_lock(&pin->page, 1, true);
	pin->page = NULL;
	pin->va = NULL;
}
