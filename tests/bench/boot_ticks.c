/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The first process of a measured boot (rdinit=): the ticks between the kernel's entry, which stamp_entry.S kept in the
 * boot parameters, and here. Says "BOOT WORD ticks" and "CLOCK WORD microseconds" (the kernel's own clock, which begins
 * when it has unpacked itself), WORD being bench= on the kernel's command line; then comes the usual init.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define STAMP_AT 0x78

static uint64_t entry_ticks(void)
{
	uint64_t stamp = 0;
	int fd = open("/sys/kernel/boot_params/data", O_RDONLY);

	if (fd < 0 || pread(fd, &stamp, sizeof(stamp), STAMP_AT) != sizeof(stamp))
		perror("boot_ticks: boot parameters");
	if (fd >= 0)
		close(fd);
	return stamp;
}

int main(int argc, char **argv)
{
	uint64_t now = __rdtsc(), entry;
	const char *who = getenv("bench");
	struct timespec clock;

	(void)argc;
	clock_gettime(CLOCK_MONOTONIC, &clock);
	if (who == NULL)
		who = "unnamed";
	mkdir("/sys", 0755);
	if (mount("sysfs", "/sys", "sysfs", 0, NULL) != 0)
		perror("boot_ticks: sysfs");
	entry = entry_ticks();
	umount("/sys");
	if (entry != 0)
		printf("CLOCK %s %ld\nBOOT %s %llu\n", who, clock.tv_sec * 1000000 + clock.tv_nsec / 1000, who,
		       (unsigned long long)(now - entry));
	fflush(stdout);
	execv("/init", argv);
	perror("boot_ticks: /init");
	return 1;
}
