/* SPDX-License-Identifier: BSD-3-Clause */
/* The text of -h. The drivers of -s come from the devices themselves. */
#include "opts.h"

#include <stdio.h>

#include "dev/device.h"

static const char options_text[] =
"  -h, --help               this text\n"
"  -v, --version            version\n"
"  -m, --memsize SIZE       guest memory, K M G; at least 128M, default 256M\n"
"      --hugetlb            of huge pages that the Service VM has set aside (vm.nr_hugepages)\n"
"  -k, --kernel FILE        Linux kernel (bzImage)\n"
"  -r, --ramdisk FILE       initial RAM disk\n"
"  -B, --bootargs TEXT      kernel command line\n"
"  -E, --elf_file FILE      32-bit ELF kernel, with a multiboot header or without\n"
"      --ovmf [w,]code=FILE,vars=FILE   UEFI firmware such as Debian's OVMF; the variables are kept in their file\n"
"      --ovmf [w,]FILE      both in one image; changed variables are kept only with w\n"
"      --machine acrn|q35   q35, which stock OVMF knows, is the default with --ovmf; acrn is the original's\n"
"      --uuid UUID          identity in SMBIOS; otherwise made from the name\n"
"      --config FILE        lines \"option = value\", long options without dashes, and \"name = NAME\"\n"
"  -s, --pci_slot [BUS:]SLOT[:FUNC],DRIVER[,OPTIONS]   a PCI function (drivers below);\n"
"                           -s help, -s DRIVER,help; \"b,\" before the options: the firmware boots it first\n"
"  -l, --lpc comN,BACKEND   serial port com1..com4, com5[,PORT,IRQ]; default: com1,stdio\n"
"                           BACKEND: stdio, pty, tcp:PORT (on 127.0.0.1), file:PATH, tty path, socket:PATH, null\n"
"      --cpu_affinity LIST  local APIC ids of the CPUs of the Service VM to run on, as 1,3; each is one vCPU\n"
"      --rtvm               nobody else runs on its CPUs, which the Service VM has given up (remove_cpu)\n"
"      --mmiodev_pt BASE,LEN  device memory of this machine, hexadecimal, pages; at 0xf0000000 there\n"
"      --api-socket PATH    UNIX socket for the JSON API that the manual describes\n"
"      --cmd_monitor PATH   UNIX socket for JSON commands: destroy, blkrescan, register_vm_event_client\n"
"      --logger_setting TEXT   as console,level=4;kmsg,level=3;disk,level=5  (1 error .. 5 debug)\n"
"      --debugexit          a 4-byte write of V to port 0xF4 ends acrn-dm with status V*2+1\n"
"      --virtio_poll NS     look at all virtio queues that often, and let the guest not notify\n"
"      --virtio_msi         virtio devices offer a single MSI instead of MSI-X\n"
"      --windows            virtio devices carry the subsystem vendor that the Windows drivers look for\n"
"      --pm_notify_channel power_button   how a shutdown is asked for (the default)\n"
"Accepted and ignored (obsolete): -A -Y -i -G -U --mac_seed --part_info --vsbl --iasl; --lapic_pt without --rtvm\n"
"Known, not built yet (refused):  --enable_trusty --intr_monitor --acpidev_pt --vtpm2\n"
"                                 --lapic_pt with --rtvm --ssram --pm_by_vuart\n";

void opts_print_help(const char *prog)
{
	fprintf(stderr, "Usage: %s [OPTIONS] {-k KERNEL | -E KERNEL | --ovmf FIRMWARE} NAME\n"
		"Starts the virtual machine NAME and serves its devices until it powers off.\n\n%s\n"
		"Drivers of -s (host bridge and lpc are added where missing):\n", prog, options_text);
	device_print_help();
	fputs("\nExit status: 0 the guest powered off or was asked to, 1 error, 64 bad option value, see --debugexit.\n"
	      "SIGTERM presses the power button and powers off by force after 15 seconds, or at the second SIGTERM;\n"
	      "SIGINT and SIGHUP power off at once.\n", stderr);
}
