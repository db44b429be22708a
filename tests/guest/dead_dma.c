/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Kills acrn-dm in the middle of "dma flood" in its guest, and looks whether the device still writes: to the page that
 * was the dead VM's, and to the one that has the guest's address in the Service VM. dead_dma PID GUEST-ADDRESS, as
 * root in the Service VM. Exit code 0: it does not; 1: it does; 2: usage, or not what was expected. Memory is read
 * through /proc/kcore, since nobody maps those pages any more; who gets them next does not write FLOOD.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096ull
#define HUGE_PAGE (2ull << 20)
#define FLOOD "FLOOD-"
#define TEXT 9
#define SEGMENTS 64
#define SECONDS 3

static int kcore = -1;
static Elf64_Phdr segment[SEGMENTS];
static unsigned int segments;

static void die(const char *what)
{
	fprintf(stderr, "dead_dma: %s: %s\n", what, errno ? strerror(errno) : "not as expected");
	exit(2);
}

static void open_kcore(void)
{
	Elf64_Ehdr head;

	kcore = open("/proc/kcore", O_RDONLY);
	if (kcore < 0 || pread(kcore, &head, sizeof(head), 0) != sizeof(head))
		die("/proc/kcore");
	segments = head.e_phnum < SEGMENTS ? head.e_phnum : SEGMENTS;
	if (pread(kcore, segment, segments * sizeof(segment[0]), (off_t)head.e_phoff) <= 0)
		die("/proc/kcore");
}

/* What is at an address of the Service VM: TEXT bytes, zeroes where there is no memory. */
static void read_physical(uint64_t at, char text[TEXT])
{
	memset(text, 0, TEXT);
	for (unsigned int i = 0; i < segments; i++) {
		const Elf64_Phdr *s = &segment[i];

		if (s->p_type == PT_LOAD && s->p_paddr != ~0ull && at >= s->p_paddr && at - s->p_paddr < s->p_memsz &&
		    pread(kcore, text, TEXT - 1, (off_t)(s->p_offset + (at - s->p_paddr))) != TEXT - 1)
			memset(text, 0, TEXT);
	}
}

static int open_of(pid_t pid, const char *file)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		die(path);
	return fd;
}

/* Where acrn-dm has the guest's memory: its largest mapping, from the first huge page on. */
static uint64_t guest_memory(pid_t pid)
{
	uint64_t best = 0, size = 0, from, to;
	char line[512];
	FILE *f = fdopen(open_of(pid, "maps"), "r");

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64, &from, &to) == 2 && to - from > size) {
			best = from;
			size = to - from;
		}
	}
	if (f)
		fclose(f);
	return (best + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1);
}

/* The page that a guest's page is in; the flood is there. */
static uint64_t find_page(pid_t pid, uint64_t guest)
{
	uint64_t at = guest_memory(pid) + guest, entry;
	int mem = open_of(pid, "mem"), map = open_of(pid, "pagemap");
	char text[TEXT] = "";

	errno = 0;
	if (pread(mem, text, TEXT - 1, (off_t)at) != TEXT - 1 || strncmp(text, FLOOD, strlen(FLOOD)) != 0)
		die("the guest's memory");
	if (pread(map, &entry, 8, (off_t)(at / PAGE * 8)) != 8 || !(entry >> 63))
		die("pagemap");
	close(mem);
	close(map);
	return (entry & ((1ull << 55) - 1)) * PAGE;
}

static void kill_and_wait(pid_t pid)
{
	struct pollfd p = { .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN };

	if (p.fd < 0 || kill(pid, SIGKILL) != 0 || poll(&p, 1, 60000) != 1)
		die("kill");
}

static int is_new_flood(const char *before, const char *now)
{
	return strncmp(now, FLOOD, strlen(FLOOD)) == 0 && strcmp(before, now) != 0;
}

int main(int argc, char **argv)
{
	struct timespec pause = { .tv_nsec = 10000000 };
	char before[2][TEXT], now[TEXT];
	uint64_t page[2];
	time_t end;
	pid_t pid;

	if (argc != 3) {
		fprintf(stderr, "usage: dead_dma PID GUEST-ADDRESS\n");
		return 2;
	}
	pid = (pid_t)atoi(argv[1]);
	open_kcore();
	page[1] = strtoull(argv[2], NULL, 0);
	page[0] = find_page(pid, page[1]);
	read_physical(page[0], now);
	errno = 0;
	if (strncmp(now, FLOOD, strlen(FLOOD)) != 0)
		die("/proc/kcore");
	kill_and_wait(pid);
	for (int i = 0; i < 2; i++)
		read_physical(page[i], before[i]);
	printf("dead; 0x%" PRIx64 " had \"%s\"\n", page[0], before[0]);
	for (end = time(NULL) + SECONDS; time(NULL) <= end; nanosleep(&pause, NULL)) {
		for (int i = 0; i < 2; i++) {
			read_physical(page[i], now);
			if (!is_new_flood(before[i], now))
				continue;
			printf("the device wrote \"%s\" to 0x%" PRIx64 "\n", now, page[i]);
			return 1;
		}
	}
	return 0;
}
