/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rules of Landlock by role. Threads of devices open nothing at all; the network's only reads the name servers; the
 * main thread opens what a client of its sockets names, but runs no program and makes no device node.
 */
#include "confine_files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"

/* Everything that the first version of Landlock knows. */
#define EVERYTHING	((1ull << 13) - 1)
#define PROGRAMS	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK)

static void allow(int ruleset, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = access };

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return;		/* what is not there needs no rule */
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
		log_warn("landlock: %s: %s", path, strerror(errno));
	close(rule.parent_fd);
}

void confine_files(enum confine_role role)
{
	struct landlock_ruleset_attr attr = { .handled_access_fs = role == CONFINE_MAIN ? PROGRAMS : EVERYTHING };
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

	if (ruleset < 0) {
		if (errno != ENOSYS && errno != EOPNOTSUPP)
			log_warn("landlock: %s", strerror(errno));
		return;
	}
	if (role == CONFINE_NETWORK) {
		allow(ruleset, "/etc/resolv.conf", LANDLOCK_ACCESS_FS_READ_FILE);
		allow(ruleset, "/run", LANDLOCK_ACCESS_FS_READ_FILE);	/* where it is often a link to */
	}
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		log_warn("landlock: %s", strerror(errno));
	close(ruleset);
}
