#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# Operating systems as they come: stock OVMF, an unmodified Debian disk, kernels that are not Linux. One boot, with
# FIRMWARE_CPUS (2; make check-firmware: 4).
load helper

setup_file() {
	guest=$("$DEV/mkguest")
	disk=$BUILD/images/firmware-debian.img
	mkdir -p "$BUILD/images"
	cp --sparse=always "$guest/disk.img" "$disk"
	"$DEV/mkimages"
	boot firmware --smp "${FIRMWARE_CPUS:-2}" --mem 3500M --timeout 5400 --off \
		--run "$TOP/tests/guest/service/firmware.sh" \
		--file /usr/share/OVMF/OVMF_CODE_4M.fd:boot/firmware/code.fd \
		--file /usr/share/OVMF/OVMF_VARS_4M.ms.fd:boot/firmware/vars.ms.fd \
		--file /usr/share/OVMF/OVMF_CODE_4M.secboot.fd:boot/firmware/smm.fd \
		--file /usr/share/OVMF/OVMF_CODE.fd:boot/firmware/code2m.fd \
		--file /usr/share/OVMF/OVMF_VARS.fd:boot/firmware/vars2m.fd \
		--file "$BUILD/guest/multiboot:boot/multiboot" --file "$guest/memtest:boot/memtest" \
		--disk "$disk" --disk "$guest/unsigned.img"
	rm -f "$disk"
}

@test "-E starts a multiboot kernel and tells it its memory" {
	passes firmware multiboot-finds-its-memory
	passes firmware multiboot-powers-off
}
@test "memtest86+ runs" {
	passes firmware memtest-runs
	passes firmware memtest-is-stopped
}
@test "stock OVMF, the build of 2 MiB, starts the kernel of -k, which finds a UEFI machine of type q35" {
	passes firmware efi-firmware-is-uefi
	passes firmware efi-host-bridge-is-q35
	passes firmware efi-isa-bridge-is-ich9
	passes firmware efi-ecam-is-used
	passes firmware efi-pm-timer-is-there
	passes firmware efi-no-acpi-errors
	passes firmware efi-cpus
}
@test "--uuid and SMBIOS reach the guest" {
	passes firmware efi-identity
	passes firmware efi-smbios-vendor
}
@test "what a guest writes to firmware variables is in their file" {
	passes firmware efi-variable-is-written
	passes firmware efi-guest-powers-off
	passes firmware variables-are-in-the-file
}
@test "two VMs cannot share a file of variables" { passes firmware variables-in-use-are-refused; }
@test "the build of OVMF that needs system management mode is refused with a sentence" {
	passes firmware smm-build-ends-with-1
	passes firmware smm-build-is-refused
}
@test "an unmodified Debian boots through shim and GRUB with Secure Boot enforced, to its login" {
	passes firmware debian-comes-to-its-login
	passes firmware debian-sees-secure-boot
}
@test "it has as many vCPUs as the machine, and 2 GiB" { passes firmware debian-has-all-cpus-and-2-gib; }
@test "Secure Boot refuses an unsigned loader, and the firmware goes on in the boot order" {
	passes firmware secure-boot-refuses-an-unsigned-loader
	passes firmware debian-comes-to-its-login
}
@test "Debian installs a package, reboots, has it still, and powers off" {
	passes firmware debian-installs-a-package
	passes firmware debian-reboots-to-its-login
	passes firmware debian-kept-its-package
	passes firmware debian-powers-off
}
@test "what is no firmware and no ELF kernel is refused with a sentence" {
	passes firmware no-firmware-is-refused
	passes firmware no-elf-is-refused
}
@test "the Service VM's kernel log stays clean" { passes firmware kernel-log-is-clean; }
