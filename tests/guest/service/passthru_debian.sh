# SPDX-License-Identifier: BSD-3-Clause
# An unmodified Debian, on a disk that only it has: an NVMe controller, a network card and an xHCI controller of this machine
# go to a User VM, whose firmware boots from that disk, and come back. Run by passthru_debian.bats. Words on the command line:
# acrn.sums: the md5 sums of a gigabyte (the controller's second namespace), of 32 MiB that port 81 of 10.0.3.100 sends,
# and of the USB disk.
. /payload/guest/lib.sh
. /payload/guest/service/vm.sh
. /payload/guest/service/typed.sh
FIRMWARE=/boot/firmware
CARD=00:11.0 DISK=00:12.0 USB=00:13.0
sums=$(sed -n 's/.*acrn.sums=\([^ ]*\).*/\1/p' /proc/cmdline)
sum() { echo "$sums" | cut -d, -f"$1"; }

# answers NAME SECONDS REGEX COMMAND: typed there, until a line is like that
answers() {
	type_in deb "$4"
	check "$1" wait_says deb "$2" "$3"
}

check module-loads hsm_load
check devices-are-taken acrnctl dev assign $CARD $DISK $USB
acrnctl dev list

cp $FIRMWARE/vars.fd /tmp/vars.fd
vm_typed deb -m 1G --cpu_affinity 0,1 --ovmf code=$FIRMWARE/code.fd,vars=/tmp/vars.fd -s 5,passthru,00/11/0 \
	-s 6,passthru,00/12/0 -s 7,passthru,00/13/0,no_reset
check debian-boots-from-its-own-disk wait_says deb 600 'login:'
log_in deb 1
answers its-root-is-on-the-nvme-disk 60 '/dev/nvme0n1p2' 'findmnt -no SOURCE /'
type_in deb "printf '[Match]\nDriver=e1000e\n[Network]\nDHCP=ipv4\n' >/etc/systemd/network/card.network"
type_in deb 'systemctl restart systemd-networkd'
type_in deb 'until cat </dev/tcp/10.0.3.100/80 >fetched.deb; do sleep 1; done 2>/dev/null'
type_in deb 'cmp fetched.deb hello.deb && echo same-$((1 + 1))'
check a-package-comes-by-the-network-card wait_says deb 120 'same-2'
answers it-installs-the-package 120 'installed-2' 'dpkg -i fetched.deb && hello -g installed-$((1 + 1))'
answers the-card-brings-32-MiB 120 "$(sum 2)" 'md5sum </dev/tcp/10.0.3.100/81'
answers it-reads-a-gigabyte-from-the-disk 600 "$(sum 1)" 'md5sum /dev/nvme0n2'
answers disk-and-card-interrupt-by-messages 60 'messages-[2-9]' \
	'echo messages-$(grep -E "PCI-MSI.*(nvme|ens|enp|eth)" /proc/interrupts | wc -l)'
answers it-reads-the-usb-disk 120 "$(sum 3)" 'md5sum /dev/disk/by-id/usb-QEMU*:0'
answers a-key-of-the-usb-keyboard-comes 120 'bytes-24' \
	'exec 7</dev/input/by-path/*usb*event-kbd; echo press-$((1 + 1))-keys; echo bytes-$(head -c 24 <&7 | wc -c)'
type_in deb reboot
check it-reboots-to-its-login until_true 600 has_said deb 2 'login:'
log_in deb 2
answers it-kept-the-package 60 'kept-2' 'hello -g kept-$((1 + 1))'
type_in deb poweroff
equal it-powers-off "$(vm_wait deb 120)" 0

echo "=== the devices are here again"
check devices-come-back acrnctl dev return $CARD $DISK $USB
modprobe nvme
check disk-is-here-again until_true 30 test -b /dev/nvme0n1p2
mkdir -p /tmp/root
modprobe ext4
check what-the-guest-wrote-is-on-it sh -c 'mount -t ext4 /dev/nvme0n1p2 /tmp/root && test -x /tmp/root/usr/bin/hello'
umount /tmp/root
modprobe e1000e
check card-is-here-again until_true 30 test -e /sys/bus/pci/devices/0000:$CARD/net
name=$(ls /sys/bus/pci/devices/0000:$CARD/net)
ip link set "$name" up
ip addr add 10.0.3.15/24 dev "$name"
check card-works-here answers 10.0.3.2
check module-unloads rmmod acrn_hsm
check kernel-log-is-clean kernel_log_is_clean
finish
