/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The frame of the tests of acrn_hsm.ko: each TEST runs in a process of its own, and after each one
 * the frame looks whether a VM or a pinned page is left. The module must be the debug build: its
 * pretended hypervisor is driven by fake() and tells by struct fake_call and struct fake_slot.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <acrn/hsm.h>
#include <acrn/ioreq.h>

struct test {
	const char *what;
	void (*fn)(void);
};

#define TEST(name, what)                                                                           \
	static void name(void);                                                                    \
	static const struct test __attribute__((section("hsm_tests"), used, aligned(16)))          \
	name##_entry = { what, name };                                                             \
	static void name(void)

/* Ends the test's process if it does not hold. */
#define CHECK(cond) check((cond), #cond, 0, 0, __FILE__, __LINE__)
#define CHECK_EQ(a, b) check_eq((long long)(a), (long long)(b), #a " == " #b, __FILE__, __LINE__)
void check(bool ok, const char *text, long long a, long long b, const char *file, int line);
void check_eq(long long a, long long b, const char *text, const char *file, int line);

#define PAGE 4096ul
#define HUGE (2ul << 20)

/* ioctl() with the error as a negative number. */
long io(int fd, unsigned long cmd, unsigned long arg);
#define iop(fd, cmd, ptr) io(fd, cmd, (unsigned long)(ptr))

int hsm_open(void);

/* A file with a VM of so many vCPUs and its request page, optionally with a client and started. */
struct vm {
	int fd;
	uint16_t id;
	volatile struct acrn_ioreq_page *page;
};
struct vm vm_new(unsigned int vcpus);
struct vm vm_running(unsigned int vcpus);

/* Zeroed anonymous memory, touched. */
void *memory(size_t size);
long set_ram(const struct vm *vm, uint64_t gpa, void *va, uint64_t len);

/* One command to the pretended hypervisor, printf-like; the result, or a negative errno. */
long fake(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define FAKE(...) CHECK_EQ(fake(__VA_ARGS__), 0)

struct fake_call {
	unsigned int id; /* low byte of the hypercall's number */
	uint64_t a, b, detail[2];
	long ret;
};
/* The calls since "clear"; static storage. */
const struct fake_call *fake_log(unsigned int *num);
/* How many of that number, and the last of them (or NULL). */
unsigned int fake_count(unsigned int id);
const struct fake_call *fake_last(unsigned int id);

struct fake_slot {
	unsigned int done, type, reg;
	uint64_t value;
};
struct fake_slot fake_slot(const struct vm *vm, unsigned int vcpu);
/* Waits (briefly) until that vCPU has had so many answers. */
void wait_done(const struct vm *vm, unsigned int vcpu, unsigned int done);

/* The physical page number the guest has at gpa, or 0. */
uint64_t fake_mapped(const struct vm *vm, uint64_t gpa);
unsigned long fake_mapped_pages(const struct vm *vm);
/* The physical page number behind an address of this process. */
uint64_t frame_of(const void *va);

/* Pages pinned in the whole system. */
long pinned(void);
/* The words of /sys/kernel/debug/acrn_hsm/vms hold this text. */
bool vms_say(const char *text);
unsigned long upcalls(void);
/* A number from a file: the one after `key`, or the first. */
long number_in(const char *path, const char *key);
void become_nobody(void);
