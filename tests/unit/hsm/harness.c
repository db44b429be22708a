// SPDX-License-Identifier: BSD-3-Clause
/* See harness.h. Runs inside an emulated machine that has nothing but busybox: so static, no cmocka. */
#define _GNU_SOURCE
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define FAKE_DIR "/sys/kernel/debug/acrn_hsm_fake/"
#define TEST_SECONDS 120

extern const struct test __start_hsm_tests[], __stop_hsm_tests[];

void check(bool ok, const char *text, long long a, long long b, const char *file, int line)
{
	if (ok)
		return;
	printf("# %s:%d: %s", file, line, text);
	if (a != b)
		printf(" (%lld, %lld)", a, b);
	puts("");
	fflush(stdout);
	_exit(1);
}

void check_eq(long long a, long long b, const char *text, const char *file, int line)
{
	check(a == b, text, a, b, file, line);
}

long io(int fd, unsigned long cmd, unsigned long arg)
{
	long ret = ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

int hsm_open(void)
{
	int fd = open("/dev/acrn_hsm", O_RDWR | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

void *memory(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	memset(p, 0, size);
	return p;
}

struct vm vm_new(unsigned int vcpus)
{
	struct vm vm = { .fd = hsm_open(), .page = memory(PAGE) };
	struct acrn_vm_creation c = {
		.name = "test",
		.ioreq_buf = (uintptr_t)vm.page,
		.cpu_affinity = (1ull << vcpus) - 1,
	};

	CHECK_EQ(iop(vm.fd, ACRN_IOCTL_CREATE_VM, &c), 0);
	CHECK_EQ(c.vcpu_num, vcpus);
	vm.id = c.vmid;
	return vm;
}

struct vm vm_running(unsigned int vcpus)
{
	struct vm vm = vm_new(vcpus);

	CHECK_EQ(io(vm.fd, ACRN_IOCTL_CREATE_IOREQ_CLIENT, 0), 0);
	CHECK_EQ(io(vm.fd, ACRN_IOCTL_START_VM, 0), 0);
	return vm;
}

long set_ram(const struct vm *vm, uint64_t gpa, void *va, uint64_t len)
{
	struct acrn_memmap m = {
		.type = ACRN_MEMMAP_RAM,
		.attr = ACRN_MEM_ACCESS_MASK,
		.user_vm_pa = gpa,
		.vma_base = (uintptr_t)va,
		.len = len,
	};

	return iop(vm->fd, ACRN_IOCTL_SET_MEMSEG, &m);
}

long fake(const char *format, ...)
{
	static int fd = -1;
	char text[128];
	va_list ap;

	if (fd < 0)
		fd = open(FAKE_DIR "command", O_WRONLY | O_CLOEXEC);
	CHECK(fd >= 0);
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

const struct fake_call *fake_log(unsigned int *num)
{
	static struct fake_call calls[8192];
	FILE *f = fopen(FAKE_DIR "log", "r");
	struct fake_call *c = calls;

	CHECK(f);
	while (c < calls + 8192 &&
	       fscanf(f, "%x %lx %lx %lx %lx %ld", &c->id, &c->a, &c->b, &c->detail[0],
		      &c->detail[1], &c->ret) == 6)
		c++;
	fclose(f);
	*num = c - calls;
	return calls;
}

const struct fake_call *fake_last(unsigned int id)
{
	unsigned int n;
	const struct fake_call *c = fake_log(&n);

	while (n--)
		if (c[n].id == id)
			return &c[n];
	return NULL;
}

unsigned int fake_count(unsigned int id)
{
	unsigned int n, found = 0;
	const struct fake_call *c = fake_log(&n);

	while (n--)
		found += c[n].id == id;
	return found;
}

struct fake_slot fake_slot(const struct vm *vm, unsigned int vcpu)
{
	FILE *f = fopen(FAKE_DIR "slots", "r");
	struct fake_slot s = { 0 };
	unsigned int id, v;
	bool found = false;

	CHECK(f);
	while (!found && fscanf(f, "%u %u done %u type %u value %lx reg %x", &id, &v, &s.done,
				&s.type, &s.value, &s.reg) == 6)
		found = id == vm->id && v == vcpu;
	fclose(f);
	CHECK(found);
	return s;
}

void wait_done(const struct vm *vm, unsigned int vcpu, unsigned int done)
{
	for (int i = 0; i < 2000 && fake_slot(vm, vcpu).done < done; i++)
		usleep(1000);
	CHECK_EQ(fake_slot(vm, vcpu).done, done);
}

static uint64_t walk_memory(const struct vm *vm, uint64_t want, unsigned long *pages)
{
	FILE *f = fopen(FAKE_DIR "memory", "r");
	uint64_t gfn, frame, found = 0;
	unsigned int id;

	CHECK(f);
	*pages = 0;
	while (fscanf(f, "%u %lx %lx", &id, &gfn, &frame) == 3) {
		if (id != vm->id)
			continue;
		++*pages;
		if (gfn == want)
			found = frame;
	}
	fclose(f);
	return found;
}

uint64_t fake_mapped(const struct vm *vm, uint64_t gpa)
{
	unsigned long pages;

	return walk_memory(vm, gpa / PAGE, &pages);
}

unsigned long fake_mapped_pages(const struct vm *vm)
{
	unsigned long pages;

	walk_memory(vm, 0, &pages);
	return pages;
}

uint64_t frame_of(const void *va)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry = 0;

	CHECK_EQ(pread(fd, &entry, 8, (uintptr_t)va / PAGE * 8), 8);
	close(fd);
	return entry & ((1ull << 55) - 1);
}

long number_in(const char *path, const char *key)
{
	static char text[65536];
	int fd = open(path, O_RDONLY);
	ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	char *at;

	CHECK(len >= 0);
	close(fd);
	text[len] = 0;
	at = key ? strstr(text, key) : text;
	return at ? strtol(at + (key ? strlen(key) : 0), NULL, 0) : -1;
}

/* The counters are kept by CPU: reading stat_refresh sums them up. */
long pinned(void)
{
	int fd = open("/proc/sys/vm/stat_refresh", O_RDONLY);
	char c;

	CHECK(fd >= 0 && read(fd, &c, 1) == 0);
	close(fd);
	return number_in("/proc/vmstat", "nr_foll_pin_acquired ") -
	       number_in("/proc/vmstat", "nr_foll_pin_released ");
}

bool vms_say(const char *text)
{
	static char all[65536];
	int fd = open("/sys/kernel/debug/acrn_hsm/vms", O_RDONLY);
	ssize_t len = read(fd, all, sizeof(all) - 1);

	CHECK(len >= 0);
	close(fd);
	all[len] = 0;
	return strstr(all, text);
}

unsigned long upcalls(void)
{
	char line[512], *at;
	unsigned long n = 0;
	FILE *f = fopen("/proc/interrupts", "r");

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (strstr(line, "acrn-hsm") && (at = strchr(line, ':')))
			n = strtoul(at + 1, NULL, 10); /* CPU 0: the first column */
	fclose(f);
	return n;
}

void become_nobody(void)
{
	CHECK_EQ(setgroups(0, NULL), 0);
	CHECK_EQ(setresgid(65534, 65534, 65534), 0);
	CHECK_EQ(setresuid(65534, 65534, 65534), 0);
}

static bool nothing_left(long before)
{
	/* pages of a process that has just ended may be on their way */
	for (int i = 0; i < 200 && (pinned() != before || vms_say("vm ")); i++)
		usleep(10000);
	if (pinned() == before && !vms_say("vm "))
		return true;
	printf("# left behind: %ld pinned pages%s\n", pinned() - before,
	       vms_say("vm ") ? ", a VM" : "");
	return false;
}

static bool run(const struct test *t)
{
	long before = pinned();
	int status = 0;
	pid_t pid;
	bool ok;

	FAKE("clear");
	FAKE("fail 0 0 0 0");
	FAKE("extensions 0");
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		alarm(TEST_SECONDS);
		t->fn();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (WIFSIGNALED(status))
		printf("# ended by signal %d\n", WTERMSIG(status));
	ok = nothing_left(before) && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	printf("%s %s\n", ok ? "PASS" : "FAIL", t->what);
	fflush(stdout);
	return ok;
}

int main(int argc, char **argv)
{
	unsigned int passed = 0, failed = 0;

	for (const struct test *t = __start_hsm_tests; t < __stop_hsm_tests; t++) {
		if (argc > 1 && !strstr(t->what, argv[1]))
			continue;
		if (run(t))
			passed++;
		else
			failed++;
	}
	printf("%u passed, %u failed\n", passed, failed);
	return failed != 0 || passed == 0;
}
