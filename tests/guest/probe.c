/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the shell in a guest cannot do by itself: CPUID, MSRs, ports, physical memory, vector registers.
 * Prints plain words for the scripts; exit code 0 done, 1 the processor or kernel refused, 2 usage. A fault
 * counts as refused, so "nothing bad happened" must be read from the output, not only from the code.
 */
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096ull

static sigjmp_buf fault_return;

static void on_fault(int sig)
{
	siglongjmp(fault_return, sig);
}

static void catch_faults(void)
{
	struct sigaction act = { .sa_handler = on_fault };

	sigaction(SIGBUS, &act, NULL);
	sigaction(SIGSEGV, &act, NULL);
	sigaction(SIGILL, &act, NULL);
}

static uint64_t number(const char *text)
{
	return strtoull(text, NULL, 0);
}

/* cpuid LEAF [SUBLEAF]: four hexadecimal words */
static int cmd_cpuid(int argc, char **argv)
{
	unsigned int a, b, c, d;

	__cpuid_count((unsigned int)number(argv[0]), argc > 1 ? (unsigned int)number(argv[1]) : 0,
		      a, b, c, d);
	printf("%08x %08x %08x %08x\n", a, b, c, d);
	return 0;
}

/* hypervisor: the signature of leaf 0x40000000, and nothing when there is none */
static int cmd_hypervisor(int argc, char **argv)
{
	unsigned int a, b, c, d;

	(void)argc;
	(void)argv;
	__cpuid(1, a, b, c, d);
	if (!(c & (1u << 31)))
		return 1;
	__cpuid(0x40000000, a, b, c, d);
	printf("%.4s%.4s%.4s\n", (char *)&b, (char *)&c, (char *)&d);
	return 0;
}

/* rdmsr MSR [CPU] and wrmsr MSR VALUE [CPU], through the msr module: a #GP is EIO there */
static int open_msr(const char *cpu, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/cpu/%s/msr", cpu);
	return open(path, flags);
}

static int cmd_rdmsr(int argc, char **argv)
{
	uint64_t value;
	int fd = open_msr(argc > 1 ? argv[1] : "0", O_RDONLY);

	if (fd < 0 || pread(fd, &value, sizeof(value), (off_t)number(argv[0])) != sizeof(value)) {
		printf("%s\n", strerror(errno));
		return 1;
	}
	printf("0x%" PRIx64 "\n", value);
	return 0;
}

static int cmd_wrmsr(int argc, char **argv)
{
	uint64_t value = number(argv[1]);
	int fd = open_msr(argc > 2 ? argv[2] : "0", O_WRONLY);

	if (fd < 0 || pwrite(fd, &value, sizeof(value), (off_t)number(argv[0])) != sizeof(value)) {
		printf("%s\n", strerror(errno));
		return 1;
	}
	return 0;
}

/* msrs FIRST LAST: how many of the range can be read, how many refuse */
static int cmd_msrs(int argc, char **argv)
{
	uint64_t value, msr, yes = 0, no = 0;
	int fd = open_msr("0", O_RDONLY);

	(void)argc;
	for (msr = number(argv[0]); msr <= number(argv[1]); msr++) {
		if (pread(fd, &value, sizeof(value), (off_t)msr) == sizeof(value))
			yes++;
		else
			no++;
	}
	printf("%" PRIu64 " readable, %" PRIu64 " refused\n", yes, no);
	return fd < 0;
}

/* in PORT SIZE, out PORT SIZE VALUE */
static int cmd_in(int argc, char **argv)
{
	unsigned short port = (unsigned short)number(argv[0]);

	(void)argc;
	if (iopl(3))
		return 1;
	switch (number(argv[1])) {
	case 1: printf("0x%x\n", inb(port)); break;
	case 2: printf("0x%x\n", inw(port)); break;
	default: printf("0x%x\n", inl(port)); break;
	}
	return 0;
}

static int cmd_out(int argc, char **argv)
{
	unsigned short port = (unsigned short)number(argv[0]);
	unsigned int value = (unsigned int)number(argv[2]);

	(void)argc;
	if (iopl(3))
		return 1;
	switch (number(argv[1])) {
	case 1: outb((unsigned char)value, port); break;
	case 2: outw((unsigned short)value, port); break;
	default: outl(value, port); break;
	}
	return 0;
}

static volatile uint64_t *map_page(uint64_t gpa)
{
	static int fd[2] = { -1, -1 };
	void *p = MAP_FAILED;
	int i;

	/* uncached first; the kernel wants the other when it uses the page itself */
	for (i = 0; i < 2 && p == MAP_FAILED; i++) {
		if (fd[i] < 0)
			fd[i] = open("/dev/mem", O_RDWR | (i ? 0 : O_SYNC));
		if (fd[i] >= 0)
			p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd[i], (off_t)gpa);
	}
	return p == MAP_FAILED ? NULL : p;
}

/* mem ADDRESS [VALUE]: one 64-bit word of physical memory */
static int cmd_mem(int argc, char **argv)
{
	uint64_t gpa = number(argv[0]);
	volatile uint64_t *page = map_page(gpa & ~(PAGE - 1));

	if (!page || sigsetjmp(fault_return, 1)) {
		printf("refused\n");
		return 1;
	}
	if (argc > 1)
		page[(gpa & (PAGE - 1)) / 8] = number(argv[1]);
	else
		printf("0x%" PRIx64 "\n", page[(gpa & (PAGE - 1)) / 8]);
	return 0;
}

static int page_is_open(uint64_t gpa)
{
	volatile uint64_t *page = map_page(gpa);
	volatile int is_open = 0;

	if (!page)
		return 0;
	if (!sigsetjmp(fault_return, 1)) {
		uint64_t before = page[0];

		is_open = (before + 1 > 1) || page[255] != before || page[511] != before;
		page[0] = 0x5a5a5a5a5a5a5a5aull;
		is_open |= page[0] != before;
		page[0] = before;
	}
	munmap((void *)(uintptr_t)page, PAGE);
	return is_open;
}

/*
 * sweep FIRST LAST: reads and writes each page of [FIRST, LAST) as somebody would who wants what is there. A page
 * is closed when it cannot be mapped, faults, or reads as nothing (all ones or zeros) before and after the write.
 */
static int cmd_sweep(int argc, char **argv)
{
	uint64_t gpa, open_pages = 0, closed = 0;

	(void)argc;
	for (gpa = number(argv[0]); gpa < number(argv[1]); gpa += PAGE) {
		if (!page_is_open(gpa))
			closed++;
		else if (open_pages++ < 8)
			printf("open 0x%" PRIx64 "\n", gpa);
	}
	printf("%" PRIu64 " closed, %" PRIu64 " open\n", closed, open_pages);
	return open_pages != 0;
}

/* Vector registers must survive whatever else runs on the CPU: each thread keeps a pattern of its own in them. */
static volatile int keep_wrong;
static volatile int keep_stop;

static void *keep_vectors(void *arg)
{
	uint64_t mine = 0x0101010101010101ull * (uint64_t)(uintptr_t)arg;
	uint64_t in[4] = { mine, mine + 1, mine + 2, mine + 3 }, out[4];

	while (!keep_stop) {
		asm volatile("vmovdqu %1, %%ymm7; vmovdqu %1, %%ymm15;"
			     "mov $20000, %%ecx; 1: pause; dec %%ecx; jnz 1b;"
			     "vpxor %%ymm15, %%ymm7, %%ymm8; vmovdqu %%ymm8, %0"
			     : "=m"(out) : "m"(in) : "ecx", "xmm7", "xmm8", "xmm15");
		if (out[0] | out[1] | out[2] | out[3])
			keep_wrong = 1;
		asm volatile("vmovdqu %1, %%ymm3; mov $20000, %%ecx; 1: pause; dec %%ecx; jnz 1b;"
			     "vmovdqu %%ymm3, %0" : "=m"(out) : "m"(in) : "ecx", "xmm3");
		if (memcmp(in, out, sizeof(in)))
			keep_wrong = 1;
	}
	return NULL;
}

/* vectors SECONDS THREADS */
static int cmd_vectors(int argc, char **argv)
{
	unsigned int i, count = (unsigned int)number(argv[1]);
	pthread_t threads[64];

	(void)argc;
	if (!__builtin_cpu_supports("avx")) {
		printf("no avx\n");
		return 1;
	}
	for (i = 0; i < count && i < 64; i++)
		pthread_create(&threads[i], NULL, keep_vectors, (void *)(uintptr_t)(i + 1));
	sleep((unsigned int)number(argv[0]));
	keep_stop = 1;
	for (i = 0; i < count && i < 64; i++)
		pthread_join(threads[i], NULL);
	printf(keep_wrong ? "changed\n" : "kept\n");
	return keep_wrong;
}

/* call vmmcall|vmcall NUMBER: VMMCALL and VMCALL from user space must not reach the hypervisor */
static int cmd_call(int argc, char **argv)
{
	long ret = 0;
	int sig = sigsetjmp(fault_return, 1);

	if (sig) {
		printf("signal %d\n", sig);
		return 1;
	}
	register long r8 asm("r8") = (long)number(argv[1]);

	if (!strcmp(argv[0], "vmmcall"))
		asm volatile("vmmcall" : "=a"(ret) : "r"(r8), "D"(0), "S"(0) : "memory");
	else
		asm volatile("vmcall" : "=a"(ret) : "r"(r8), "D"(0), "S"(0) : "memory");
	printf("%ld\n", ret);
	(void)argc;
	return 0;
}

/* clocks SECONDS: what monotonic time and the RTC say of the same interval, in ms and s */
static int cmd_clocks(int argc, char **argv)
{
	struct timespec a, b, pause = { .tv_sec = (time_t)number(argv[0]) };

	(void)argc;
	clock_gettime(CLOCK_MONOTONIC_RAW, &a);
	nanosleep(&pause, NULL);
	clock_gettime(CLOCK_MONOTONIC_RAW, &b);
	printf("%ld\n", (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000);
	return 0;
}

/* heartbeat FILE: until FILE exists, the longest time in ms between two wakings that should be 20 ms apart */
static int cmd_heartbeat(int argc, char **argv)
{
	struct timespec pause = { .tv_nsec = 20000000 }, now, last;
	long gap, longest = 0;

	(void)argc;
	clock_gettime(CLOCK_MONOTONIC, &last);
	while (access(argv[0], F_OK)) {
		nanosleep(&pause, NULL);
		clock_gettime(CLOCK_MONOTONIC, &now);
		gap = (now.tv_sec - last.tv_sec) * 1000 + (now.tv_nsec - last.tv_nsec) / 1000000;
		if (gap > longest)
			longest = gap;
		last = now;
	}
	printf("%ld\n", longest);
	return 0;
}

/* say SOCKET MS LINE...: sends the lines to a UNIX socket, prints what comes back until nothing came for MS */
static int cmd_say(int argc, char **argv)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	struct pollfd poll_fd = { .events = POLLIN };
	char buf[512];
	ssize_t len;
	int i;

	strncpy(at.sun_path, argv[0], sizeof(at.sun_path) - 1);
	poll_fd.fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (poll_fd.fd < 0 || connect(poll_fd.fd, (struct sockaddr *)&at, sizeof(at))) {
		perror(argv[0]);
		return 1;
	}
	for (i = 2; i < argc; i++)
		if (dprintf(poll_fd.fd, "%s\n", argv[i]) < 0)
			return 1;
	while (poll(&poll_fd, 1, (int)number(argv[1])) > 0 && (len = read(poll_fd.fd, buf, sizeof(buf))) > 0)
		if (write(STDOUT_FILENO, buf, (size_t)len) != len)
			return 1;
	return 0;
}

static const struct command {
	const char *name;
	int args;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "cpuid", 1, cmd_cpuid },
	{ "hypervisor", 0, cmd_hypervisor },
	{ "rdmsr", 1, cmd_rdmsr },
	{ "wrmsr", 2, cmd_wrmsr },
	{ "msrs", 2, cmd_msrs },
	{ "in", 2, cmd_in },
	{ "out", 3, cmd_out },
	{ "mem", 1, cmd_mem },
	{ "sweep", 2, cmd_sweep },
	{ "vectors", 2, cmd_vectors },
	{ "call", 2, cmd_call },
	{ "clocks", 1, cmd_clocks },
	{ "heartbeat", 1, cmd_heartbeat },
	{ "say", 3, cmd_say },
};

int main(int argc, char **argv)
{
	unsigned int i;

	catch_faults();
	for (i = 0; argc > 1 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name) && argc - 2 >= commands[i].args)
			return commands[i].run(argc - 2, argv + 2);
	fprintf(stderr, "usage: probe");
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(stderr, " %s", commands[i].name);
	fputc('\n', stderr);
	return 2;
}
