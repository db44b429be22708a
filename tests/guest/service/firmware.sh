# SPDX-License-Identifier: BSD-3-Clause
# Guests that are not a Linux kernel of ours: ELF and other kernels, stock UEFI firmware with a kernel from us, and an
# unmodified Debian disk under Secure Boot. Run by firmware.bats. Disks: disk0 is Debian, disk1 holds an unsigned loader.
. /payload/guest/lib.sh
. /payload/guest/service/vm.sh
. /payload/guest/service/typed.sh
FIRMWARE=/boot/firmware
debian=/dev/disk/by-id/virtio-disk0
unsigned=/dev/disk/by-id/virtio-disk1
# no udev here: the disks are told by their serial numbers
for d in /sys/block/vd*; do
	[ "$(cat "$d/serial")" = disk0 ] && debian=/dev/${d##*/}
	[ "$(cat "$d/serial")" = disk1 ] && unsigned=/dev/${d##*/}
done

check module-loads hsm_load

echo "=== kernels that are not Linux"
vm_start mb -m 200M -E /boot/multiboot
equal multiboot-powers-off "$(vm_wait mb 60)" 0
check multiboot-finds-its-memory vm_says mb 'magic 0x2badb002 flags 1 lower 640 upper 203712 bss clean'
vm_start mt -m 256M -k /boot/memtest -B console=ttyS0,115200
check memtest-runs wait_says mt 120 'Memtest86\+ v6'
kill -INT "$(vm_pid mt)"
equal memtest-is-stopped "$(vm_wait mt 30)" 0

echo "=== firmware with our kernel"
cp $FIRMWARE/vars2m.fd /tmp/vars.fd
cat >/tmp/efi.sh <<'TXT'
. /payload/lib.sh
echo	# the firmware leaves the cursor in the middle of a line
check firmware-is-uefi test -d /sys/firmware/efi
equal identity "$(cat /sys/class/dmi/id/product_uuid)" 00112233-4455-6677-8899-aabbccddeeff
equal smbios-vendor "$(cat /sys/class/dmi/id/sys_vendor)" ACRN
equal cpus "$(nproc)" 2
check host-bridge-is-q35 grep -q 0x29c0 /sys/bus/pci/devices/0000:00:00.0/device
check isa-bridge-is-ich9 grep -q 0x2918 /sys/bus/pci/devices/0000:00:1f.0/device
check ecam-is-used sh -c 'dmesg | grep -q "MMCONFIG at .* reserved"'
check pm-timer-is-there sh -c 'dmesg | grep -q "PM-Timer IO Port"'
check no-acpi-errors sh -c '! dmesg | grep -E "ACPI.*(Error|BIOS Bug|Invalid checksum)"'
modprobe efivarfs
mount -t efivarfs efivarfs /sys/firmware/efi/efivars
v=/sys/firmware/efi/efivars/AcrnTest-11111111-2222-3333-4444-555555555555
printf '\007\000\000\000kept word' >$v
equal variable-is-written "$(tail -c +5 $v)" "kept word"
TXT
user_image /tmp/efi.img /tmp/efi.sh
vm_start efi -m 256M --cpu_affinity 0,1 --uuid 00112233-4455-6677-8899-aabbccddeeff \
	--ovmf code=$FIRMWARE/code2m.fd,vars=/tmp/vars.fd -k $KERNEL -r /tmp/efi.img -B "$USER_ARGS"
until_true 30 test -s /tmp/efi.out
acrn-dm -m 256M --ovmf code=$FIRMWARE/code2m.fd,vars=/tmp/vars.fd second >/tmp/refused.out 2>&1
check variables-in-use-are-refused grep -q 'in use by another VM' /tmp/refused.out
equal efi-guest-powers-off "$(vm_wait efi 600)" 0
vm_checks efi efi-
check variables-are-in-the-file grep -q A.c.r.n.T.e.s.t /tmp/vars.fd

echo "=== firmware that cannot run here"
cp $FIRMWARE/vars.ms.fd /tmp/smm.fd
vm_start smm -m 256M --ovmf code=$FIRMWARE/smm.fd,vars=/tmp/smm.fd
equal smm-build-ends-with-1 "$(vm_wait smm 120)" 1
check smm-build-is-refused vm_says smm 'needs system management mode'

echo "=== an unmodified Debian under Secure Boot, and an unsigned loader before it"
cp $FIRMWARE/vars.ms.fd /tmp/debian.fd
vm_typed deb -m 2G --ovmf code=$FIRMWARE/code.fd,vars=/tmp/debian.fd -s 3,virtio-blk,b,$unsigned \
	-s 4,virtio-blk,b,$debian
check debian-comes-to-its-login wait_says deb 1500 'login:'
check secure-boot-refuses-an-unsigned-loader vm_says deb 'Access Denied|Security Violation'
log_in deb 1
type_in deb "dmesg | grep -i 'secure boot'; dpkg -i /root/hello.deb && hello -g package-installed"
check debian-sees-secure-boot wait_says deb 240 'Secure boot enabled'
check debian-installs-a-package wait_says deb 240 '^package-installed'
type_in deb 'echo cpus-$(nproc)-kib-$(sed -n "s/MemTotal: *//p" /proc/meminfo)'
check debian-has-all-cpus-and-2-gib wait_says deb 240 "cpus-$(nproc)-kib-(19|20)[0-9]{5} kB"
type_in deb reboot
check debian-reboots-to-its-login until_true 1500 has_said deb 2 'login:'
log_in deb 2
type_in deb 'hello -g kept-$((1 + 1)); poweroff'
check debian-kept-its-package wait_says deb 240 'kept-2'
equal debian-powers-off "$(vm_wait deb 240)" 0

echo "=== what cannot run says so"
acrn-dm -m 256M --ovmf /boot/vmlinuz none >/tmp/refused.out 2>&1
check no-firmware-is-refused grep -q 'not a firmware image' /tmp/refused.out
acrn-dm -E /boot/vmlinuz none >/tmp/refused.out 2>&1
check no-elf-is-refused grep -q 'not an ELF file' /tmp/refused.out
check kernel-log-is-clean kernel_log_is_clean
finish
