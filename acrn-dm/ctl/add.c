/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * acrnctl add and del. A launch script ends in an acrn-dm whose last word is the VM's name, and only the script knows
 * how that word comes about. So it is run once, with each acrn-dm in it replaced by a link to ourselves that takes
 * the name down and does no more; the link's folder also comes first in PATH.
 */
#include "ctl/add.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/command.h"
#include "ctl/script.h"

#define NAME_FILE	"ACRNCTL_NAME_FILE"
#define SCRIPT_MAX	(1u << 20)

int add_take_name(int argc, char **argv)
{
	const char *path = getenv(NAME_FILE);
	FILE *f = path && argc > 1 ? fopen(path, "we") : NULL;
	int bad;

	if (!f)
		return 1;
	bad = fprintf(f, "%s\n", argv[argc - 1]) < 0;
	return fclose(f) != 0 || bad ? 1 : 0;
}

/* The folder of one run: the script as it is run, the link, and the name. */
struct trial {
	char dir[32];
	char script[48], link[48], name[48];
};

static int write_file(const char *path, const char *text, size_t len, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	int err = 0;

	if (fd < 0)
		return -errno;
	while (len > 0 && !err) {
		ssize_t n = write(fd, text, len);

		if (n < 0)
			err = -errno;
		else
			text += n, len -= (size_t)n;
	}
	if (!err && fsync(fd) < 0)
		err = -errno;
	return close(fd) < 0 && !err ? -errno : err;
}

static void trial_end(const struct trial *t)
{
	unlink(t->script);
	unlink(t->link);
	unlink(t->name);
	rmdir(t->dir);
}

static int trial_begin(struct trial *t, const char *text)
{
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *changed;
	int err;

	strcpy(t->dir, "/tmp/acrnctl-XXXXXX");
	if (len < 0 || !mkdtemp(t->dir))
		return -errno;
	self[len] = '\0';
	snprintf(t->script, sizeof(t->script), "%s/script", t->dir);
	snprintf(t->link, sizeof(t->link), "%s/acrn-dm", t->dir);
	snprintf(t->name, sizeof(t->name), "%s/name", t->dir);
	changed = script_redirect(text, t->link);
	err = changed ? write_file(t->script, changed, strlen(changed), 0700) : -ENOMEM;
	free(changed);
	if (!err && symlink(self, t->link) < 0)
		err = -errno;
	if (err)
		trial_end(t);
	return err;
}

/* In the child: the script, by its own interpreter or else by sh. Does not return. */
static void become_script(const struct trial *t, char **argv)
{
	const char *from = getenv("PATH");
	char path[PATH_MAX];
	char *shell[VMS_ARGS_MAX + 3] = { "sh", (char *)t->script };
	int null = open("/dev/null", O_RDWR);

	snprintf(path, sizeof(path), "%s:%s", t->dir, from ? from : "/usr/sbin:/usr/bin:/sbin:/bin");
	setenv("PATH", path, 1);
	setenv(NAME_FILE, t->name, 1);
	dup2(null, STDIN_FILENO);
	execv(t->script, argv);
	for (int i = 1; argv[i]; i++)
		shell[i + 1] = argv[i];
	execv("/bin/sh", shell);
	_exit(127);
}

/* Whatever the script's own exit status: what counts is whether it named a VM. */
static int trial_run(const struct trial *t, char **argv, char *name)
{
	pid_t pid = fork();
	FILE *f;
	int ok;

	if (pid == 0)
		become_script(t, argv);
	if (pid < 0 || waitpid(pid, NULL, 0) < 0)
		return -errno;
	f = fopen(t->name, "re");
	if (!f)
		return -ESRCH;
	ok = fgets(name, VMS_NAME_MAX + 2, f) != NULL;
	fclose(f);
	name[strcspn(name, "\n")] = '\0';
	return ok && vms_is_name(name) ? 0 : -EINVAL;
}

static int find_name(const char *path, const char *text, char **argv, char *name)
{
	struct trial t;
	int err = trial_begin(&t, text);

	if (err)
		return ctl_complain(path, strerror(-err));
	err = trial_run(&t, argv, name);
	trial_end(&t);
	if (err == -ESRCH)
		return ctl_complain(path, "it did not come to a call of acrn-dm");
	if (err == -EINVAL)
		return ctl_complain(path, "the last word of its acrn-dm is no name of a VM");
	return err ? ctl_complain(path, strerror(-err)) : 0;
}

static const char *folder(void)
{
	return ctl_places.conf ? ctl_places.conf : VMS_CONF_DIR;
}

static int keep(const char *name, const char *text, const char *args)
{
	char script[PATH_MAX], file[PATH_MAX];
	int err;

	snprintf(script, sizeof(script), "%s/%s.sh", folder(), name);
	snprintf(file, sizeof(file), "%s/%s.args", folder(), name);
	unlink(file);
	err = *args ? write_file(file, args, strlen(args), 0600) : 0;
	if (!err)
		err = write_file(script, text, strlen(text), 0700);
	if (err) {
		unlink(file);
		return ctl_complain(script, strerror(-err));
	}
	printf("%s added\n", name);
	return 0;
}

static int add(int argc, char **argv)
{
	char name[VMS_NAME_MAX + 2], *args = script_join(argv + 1, argc - 1);
	char *text = script_read(argv[0], SCRIPT_MAX);
	int status;

	if (!text)
		status = ctl_complain(argv[0], errno == EFBIG ? "larger than 1 MiB, or no text" : strerror(errno));
	else if (!args)
		status = ctl_complain("add", "a word with a line break in it cannot be kept");
	else
		status = find_name(argv[0], text, argv, name) || ctl_find_all();
	for (int i = 0; !status && i < ctl_vm_count(); i++) {
		if (strcmp(ctl_vm(i)->name, name) == 0)
			status = ctl_complain(name, "there is a VM of that name already");
	}
	if (!status)
		status = keep(name, text, args);
	free(text);
	free(args);
	return status;
}

static int del_vm(const struct vms_vm *vm)
{
	char path[PATH_MAX];

	if (!vm->has_script)
		return ctl_complain(vm->name, "it was not added; its file in /etc/acrn/vm is yours to remove");
	if (vm->state != VMS_STOPPED)
		return ctl_complain(vm->name, "it runs; stop it first");
	snprintf(path, sizeof(path), "%s/%s.sh", folder(), vm->name);
	if (unlink(path) < 0)
		return ctl_complain(path, strerror(errno));
	snprintf(path, sizeof(path), "%s/%s.args", folder(), vm->name);
	if (unlink(path) < 0 && errno != ENOENT)
		return ctl_complain(path, strerror(errno));
	printf("%s deleted\n", vm->name);
	return 0;
}

static int del(int argc, char **argv)
{
	int status = ctl_find_all();

	for (int i = 0; i < argc; i++) {
		const struct vms_vm *vm = ctl_find(argv[i]);

		status |= vm ? del_vm(vm) : 1;
	}
	return status;
}

/* What the service acrn-script@NAME starts: the script, with the words that it was added with. */
static int launch(int argc, char **argv)
{
	char script[PATH_MAX], file[PATH_MAX], *args;
	char *words[VMS_ARGS_MAX + 3] = { "sh", script };

	(void)argc;
	if (!vms_is_name(argv[0]))
		return ctl_complain(argv[0], "no name of a VM");
	snprintf(script, sizeof(script), "%s/%s.sh", folder(), argv[0]);
	snprintf(file, sizeof(file), "%s/%s.args", folder(), argv[0]);
	args = script_read(file, SCRIPT_MAX);
	if (!args && errno != ENOENT)
		return ctl_complain(file, strerror(errno));
	if (args && script_split(args, words + 2, VMS_ARGS_MAX) < 0)
		return ctl_complain(file, "too many words");
	execv(script, words + 1);
	if (errno == ENOEXEC)
		execv("/bin/sh", words);
	return ctl_complain(script, strerror(errno));
}

static const struct ctl_command add_command = {
	.name = "add", .words = "SCRIPT [WORD...]", .least = 1, .most = VMS_ARGS_MAX, .run = add,
	.help = "keeps a launch script, and the words it is to be run with",
	.manual = "Keeps a copy of a launch script as a VM: a script that ends in a call of acrn-dm, and the words\n"
		  "that it is to be run with. To learn the VM's name the script is run once, with its acrn-dm\n"
		  "replaced by a program that does nothing; whatever else it does, it does.",
};

static const struct ctl_command del_command = {
	.name = "del", .words = "VM...", .least = 1, .most = VMS_MAX, .run = del,
	.help = "forgets added scripts, of stopped VMs",
	.manual = "Removes the script of a stopped VM that was added.",
};

static const struct ctl_command launch_command = {
	.name = "launch", .words = "VM", .least = 1, .most = 1, .run = launch,
};
CTL_COMMANDS(&add_command, &del_command, &launch_command);
