/* SPDX-License-Identifier: BSD-3-Clause */
/* A ROM begins with 55 AA (PCI Local Bus 3.0 6.3.1). */
#include "dev/passthru_rom.h"

#include <errno.h>
#include <fcntl.h>
#include <pciaccess.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

#define SIZE_MAX_ROM	(16u << 20)
#define CFG_COMMAND	0x04
#define COMMAND_MEMORY	2u

static bool is_rom(const uint8_t *data, size_t len)
{
	return len > 2 && data[0] == 0x55 && data[1] == 0xaa;
}

static int read_device(struct pci_device *real, void **data, size_t *len)
{
	uint8_t *copy = real->rom_size != 0 && real->rom_size <= SIZE_MAX_ROM ? calloc(1, real->rom_size) : NULL;
	uint16_t command = 0;
	int err;

	if (!copy)
		return real->rom_size != 0 && real->rom_size <= SIZE_MAX_ROM ? -ENOMEM : 0;
	/* A device that decodes nothing does not show its ROM. */
	err = pci_device_cfg_read_u16(real, &command, CFG_COMMAND);
	if (!err && !(command & COMMAND_MEMORY))
		err = pci_device_cfg_write_u16(real, (uint16_t)(command | COMMAND_MEMORY), CFG_COMMAND);
	if (!err)
		err = pci_device_read_rom(real, copy);
	if (err || !is_rom(copy, real->rom_size)) {
		log_notice("passthru: the expansion ROM cannot be read, the guest sees none");
		free(copy);
		return 0;
	}
	*data = copy;
	*len = real->rom_size;
	return 0;
}

/* All of an open file; its size was looked at. */
static int read_all(int fd, uint8_t *to, size_t len)
{
	ssize_t n;

	for (size_t done = 0; done < len; done += (size_t)n) {
		n = read(fd, to + done, len - done);
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
	}
	return 0;
}

static int read_open(int fd, void **data, size_t *len)
{
	struct stat st;
	uint8_t *copy;
	int err;

	if (fstat(fd, &st) != 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size <= 0 || st.st_size > SIZE_MAX_ROM)
		return -EINVAL;
	copy = malloc((size_t)st.st_size);
	if (!copy)
		return -ENOMEM;
	err = read_all(fd, copy, (size_t)st.st_size);
	if (!err && !is_rom(copy, (size_t)st.st_size))
		err = -EINVAL;
	if (err) {
		free(copy);
		return err;
	}
	*data = copy;
	*len = (size_t)st.st_size;
	return 0;
}

int passthru_rom_read(struct pci_device *real, const char *file, void **data, size_t *len)
{
	int fd, err;

	*data = NULL;
	*len = 0;
	if (!file)
		return read_device(real, data, len);
	fd = open(file, O_RDONLY | O_CLOEXEC);
	err = fd < 0 ? -errno : read_open(fd, data, len);
	if (fd >= 0)
		close(fd);
	if (err)
		log_err("passthru: romfile=%s: %s", file,
			err == -EINVAL ? "it is no expansion ROM (55 AA, at most 16 MiB)" : strerror(-err));
	return err;
}
