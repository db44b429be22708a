/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A virtual processor's common part, and reading what its guest sees. Code at RIP is read through a
 * small cache of pages, because without next-RIP save every exit needs it.
 */
#include "vcpu/vcpu.h"

#include "hw/cpu.h"
#include "hw/irq.h"
#include "hw/paging.h"
#include "hw/percpu.h"
#include "hw/smp_call.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "sched/run_queue.h"
#include "vcpu/backend.h"
#include "vcpu/fpu.h"
#include "x86/cr.h"
#include "x86/guest_walk.h"

void vcpu_reset(struct vcpu *vcpu, bool is_cold)
{
	memset(vcpu->gpr, 0, sizeof(vcpu->gpr));
	vcpu->gpr[REG_RDX] = cpuid(CPUID_FEATURES, 0).eax;
	vcpu->rip = 0xFFF0;
	vcpu->event.type = EVENT_NONE;
	vcpu->offered = -1;
	vcpu->offer_made = -1;
	vcpu->tpr_shown = 0;
	vcpu->nmi_pending = false;
	vcpu->nmi_masked = false;
	vcpu->pic_pending = false;
	for (unsigned int i = 0; i < CODE_CACHES; i++)
		vcpu->code[i].page = ~0UL;
	memset(vcpu->insns, 0, sizeof(vcpu->insns));
	vcpu_backend->put(vcpu);
	vcpu_backend->vcpu_reset(vcpu);
	if (is_cold)
		fpu_reset(vcpu);
	vlapic_reset(&vcpu->vlapic, is_cold);
}

void vcpu_request(struct vcpu *vcpu, uint32_t requests)
{
	bool is_posted = requests == VCPU_REQ_EVENT && vcpu->pcpu != cpu_id() &&
			 atomic_load_relaxed(&vcpu->in_guest) != 0 && vcpu_backend->post_remote != NULL &&
			 vcpu_backend->post_remote(vcpu);

	/* Requested all the same: the guest may have left before it could take what was posted. */
	(void)atomic_fetch_or(&vcpu->requests, requests);
	if (sched_wake(&per_cpu(sched, vcpu->pcpu), &vcpu->sched) ||
	    atomic_load_relaxed(&vcpu->in_guest) != 0) {
		if (vcpu->pcpu != cpu_id())
			smp_kick(vcpu->pcpu, is_posted ? IRQ_POSTED : IRQ_KICK);
	}
}

static int walk_read(void *ctx, gpa_t gpa, void *buf, size_t size)
{
	return gpa_space_read(ctx, gpa, buf, size);
}

/* What a walk of the guest's page tables goes by. */
static struct guest_walk walk_state(struct vcpu *vcpu, struct guest_trail *trail)
{
	return (struct guest_walk){
		.cr0 = vcpu_backend->reg_get(vcpu, VREG_CR0),
		.cr3 = vcpu_backend->reg_get(vcpu, VREG_CR3),
		.cr4 = vcpu_backend->reg_get(vcpu, VREG_CR4),
		.efer = vcpu_backend->reg_get(vcpu, VREG_EFER),
		.rflags = vcpu_backend->reg_get(vcpu, VREG_RFLAGS),
		.ctx = &vcpu->group->space,
		.read = walk_read,
		.trail = trail,
	};
}

int vcpu_walk(struct vcpu *vcpu, gva_t gva, unsigned int access, gpa_t *gpa, uint32_t *error)
{
	struct guest_walk walk = walk_state(vcpu, NULL);

	return guest_walk(&walk, gva, access, gpa, error);
}

enum insn_mode vcpu_mode(struct vcpu *vcpu)
{
	return vcpu_backend->mode(vcpu);
}

unsigned int vcpu_cpl(struct vcpu *vcpu)
{
	return vcpu_backend->cpl(vcpu);
}

/* True when cache has the page of rip, if differences(cache) is 0. */
static inline bool is_cached(struct vcpu *vcpu, gva_t rip, uint64_t cr3, const struct code_cache *cache)
{
	return cache->page == (rip & PAGE_MASK) && cache->cr3 == cr3 &&
	       cache->generation == atomic_load_relaxed(&vcpu->group->space.generation);
}

/* 0 when the guest's page tables still lead where they led. Within guest_access_begin/end. */
static inline uint64_t differences(const struct code_cache *c)
{
	return (atomic_load_relaxed(c->entry[0]) ^ c->value[0]) |
	       (atomic_load_relaxed(c->entry[1]) ^ c->value[1]) |
	       (atomic_load_relaxed(c->entry[2]) ^ c->value[2]) |
	       (atomic_load_relaxed(c->entry[3]) ^ c->value[3]) |
	       (atomic_load_relaxed(c->entry[4]) ^ c->value[4]);
}

/* Keeps what a change of the translation would show in; false when it cannot be seen. */
static bool keep_trail(struct code_cache *cache, struct gpa_space *space,
		       const struct guest_trail *trail)
{
	if (trail->count != 0 && trail->entry_size != sizeof(uint64_t))
		return false;
	for (unsigned int i = trail->count; i < CODE_TRAIL; i++)
		cache->entry[i] = &cache->value[i];
	for (unsigned int i = 0; i < trail->count; i++) {
		hpa_t hpa = gpa_space_translate(space, trail->entry[i].gpa, PG_READ);

		cache->entry[i] = hpa == HPA_INVALID ? NULL : space->to_virt(hpa);
		cache->value[i] = trail->entry[i].value;
		if (cache->entry[i] == NULL)
			return false;
	}
	return true;
}

/* Finds the page anew, and keeps it with the way that led there. */
static __attribute__((noinline)) const uint8_t *
code_page_walk(struct vcpu *vcpu, gva_t rip, uint64_t cr3, struct code_cache *cache)
{
	struct gpa_space *space = &vcpu->group->space;
	struct guest_trail trail;
	struct guest_walk walk;
	uint32_t error;
	hpa_t hpa;
	gpa_t gpa;

	cache->page = ~0UL;
	cache->generation = atomic_load(&space->generation);
	walk = walk_state(vcpu, &trail);
	if (guest_walk(&walk, rip & PAGE_MASK,
		       WALK_FETCH | (vcpu_cpl(vcpu) == 3 ? WALK_USER : 0U), &gpa, &error) != 0)
		return NULL;
	hpa = gpa_space_translate(space, gpa, PG_READ);
	if (hpa == HPA_INVALID)
		return NULL;
	cache->code = space->to_virt(hpa);
	if (cache->code == NULL)
		return NULL;
	if (keep_trail(cache, space, &trail)) {
		cache->page = rip & PAGE_MASK;
		cache->cr3 = cr3;
	}
	return cache->code;
}

/*
 * The page of code at linear address rip, as the hypervisor sees it; NULL when it is not RAM. Begins
 * guest access, which the caller ends in any case.
 */
static inline const uint8_t *code_page(struct vcpu *vcpu, gva_t rip, uint64_t cr3)
{
	struct code_cache *cache = &vcpu->code[(rip >> PAGE_SHIFT) % CODE_CACHES];
	const uint8_t *code;

	guest_access_begin();
	if (likely(is_cached(vcpu, rip, cr3, cache) && differences(cache) == 0))
		return cache->code;
	guest_access_end();
	code = code_page_walk(vcpu, rip, cr3, cache);
	guest_access_begin();
	return code;
}

static unsigned int fetch(struct vcpu *vcpu, gva_t rip, uint64_t cr3, uint8_t *buf,
			  unsigned int size)
{
	unsigned int done = 0;

	while (done < size) {
		gva_t at = rip + done;
		unsigned int room = (unsigned int)(PAGE_SIZE - (at & (PAGE_SIZE - 1)));
		unsigned int n = MIN(size - done, room);
		const uint8_t *page = code_page(vcpu, at, cr3);

		if (page != NULL)
			memcpy(buf + done, page + (at & (PAGE_SIZE - 1)), n);
		guest_access_end();
		if (page == NULL)
			break;
		done += n;
	}
	return done;
}

static gva_t code_address(struct vcpu *vcpu, enum insn_mode mode)
{
	struct segment cs;

	if (mode == INSN_MODE_64)
		return vcpu->rip;
	vcpu_backend->seg_get(vcpu, SEG_CS, &cs);
	return (cs.base + vcpu->rip) & 0xFFFFFFFFUL;
}

unsigned int vcpu_fetch(struct vcpu *vcpu, uint8_t *buf, unsigned int size)
{
	return fetch(vcpu, code_address(vcpu, vcpu_mode(vcpu)), vcpu->cr3, buf, size);
}

/*
 * True when rip, by the way that was walked last, still leads to the bytes of insn, which then lie in one
 * page. False says nothing.
 */
static inline bool is_same_insn(struct vcpu *vcpu, gva_t rip, const struct insn_cache *insn)
{
	const struct code_cache *cache = &vcpu->code[(rip >> PAGE_SHIFT) % CODE_CACHES];
	const uint8_t *code = cache->code + (rip & (PAGE_SIZE - 1));
	uint64_t low, high;
	bool is_same;

	if (unlikely(!is_cached(vcpu, rip, vcpu->cr3, cache)))
		return false;
	guest_access_begin();
	__builtin_memcpy(&low, code, sizeof(low));
	__builtin_memcpy(&high, code + sizeof(low), sizeof(high));
	is_same = (differences(cache) | (low ^ insn->bytes[0]) | (high ^ insn->bytes[1])) == 0;
	guest_access_end();
	return is_same;
}

/* The bytes at rip when all that an instruction can have lie in its page; false: look slowly. */
static bool peek(struct vcpu *vcpu, gva_t rip, uint64_t bytes[2])
{
	unsigned int at = (unsigned int)(rip & (PAGE_SIZE - 1));
	const uint8_t *page;

	if (at > PAGE_SIZE - 16)
		return false;
	page = code_page(vcpu, rip, vcpu->cr3);
	if (likely(page != NULL))
		__builtin_memcpy(bytes, page + at, 16);
	guest_access_end();
	return page != NULL;
}

static __attribute__((noinline)) const struct insn *decode_anew(struct vcpu *vcpu, gva_t rip,
								enum insn_mode mode)
{
	struct insn_cache *cache = &vcpu->insns[rip % INSN_CACHES];
	bool is_in_page = peek(vcpu, rip, cache->bytes);
	unsigned int have = INSN_MAX_LEN;

	if (!is_in_page)
		have = fetch(vcpu, rip, vcpu->cr3, (uint8_t *)cache->bytes, INSN_MAX_LEN);
	cache->mode = 0;
	if (insn_decode((const uint8_t *)cache->bytes, have, mode, &cache->insn) != 0)
		return NULL;
	cache->rip = rip;
	cache->mode = is_in_page ? mode : 0;
	return &cache->insn;
}

const struct insn *vcpu_decode(struct vcpu *vcpu, enum insn_mode *mode)
{
	enum insn_mode m = vcpu_mode(vcpu);
	gva_t rip = likely(m == INSN_MODE_64) ? vcpu->rip : code_address(vcpu, m);
	const struct insn_cache *cache = &vcpu->insns[rip % INSN_CACHES];

	*mode = m;
	if (likely(cache->rip == rip && cache->mode == m && is_same_insn(vcpu, rip, cache)))
		return &cache->insn;
	return decode_anew(vcpu, rip, m);
}

unsigned int vcpu_insn_length(struct vcpu *vcpu, gva_t rip, uint64_t cr3, uint16_t opcode)
{
	uint8_t buf[INSN_MAX_LEN];
	unsigned int have;
	const uint8_t *page = code_page(vcpu, rip, cr3);
	unsigned int at = (unsigned int)(rip & (PAGE_SIZE - 1));
	uint16_t found = 0;

	if (likely(page != NULL && at < PAGE_SIZE - 1))
		found = (uint16_t)((page[at] << 8) | page[at + 1]);
	guest_access_end();
	if (likely(opcode > 0xFF && found == opcode))
		return 2;
	if (opcode != 0 && opcode <= 0xFF && found >> 8 == opcode)
		return 1;
	have = fetch(vcpu, rip, cr3, buf, sizeof(buf));
	return insn_length(buf, have, vcpu_mode(vcpu));
}

/* A copy between a buffer and guest-linear memory, page by page. */
struct linear_copy {
	gva_t gva;
	uint8_t *buf;
	unsigned int size;
	bool is_write;
};

static int copy_linear(struct vcpu *vcpu, struct linear_copy c, struct vcpu_fault *fault)
{
	struct gpa_space *space = &vcpu->group->space;
	unsigned int access =
		(c.is_write ? WALK_WRITE : 0U) | (vcpu_cpl(vcpu) == 3 ? WALK_USER : 0U);

	while (c.size != 0) {
		unsigned int room = (unsigned int)(PAGE_SIZE - (c.gva & (PAGE_SIZE - 1)));
		unsigned int n = MIN(c.size, room);
		gpa_t gpa;
		int err;

		fault->address = c.gva;
		fault->error = 0;
		if (vcpu_walk(vcpu, c.gva, access, &gpa, &fault->error) != 0)
			return -EFAULT;
		err = c.is_write ? gpa_space_write(space, gpa, c.buf, n) :
				   gpa_space_read(space, gpa, c.buf, n);
		if (err != 0) {
			vcpu->no_memory = gpa;
			return -EIO;
		}
		c.gva += n;
		c.buf += n;
		c.size -= n;
	}
	return 0;
}

int vcpu_read_linear(struct vcpu *vcpu, gva_t gva, void *buf, unsigned int size,
		     struct vcpu_fault *fault)
{
	return copy_linear(vcpu, (struct linear_copy){ gva, buf, size, false }, fault);
}

int vcpu_write_linear(struct vcpu *vcpu, gva_t gva, const void *buf, unsigned int size,
		      struct vcpu_fault *fault)
{
	return copy_linear(vcpu, (struct linear_copy){ gva, (uint8_t *)(uintptr_t)buf, size, true },
			   fault);
}
