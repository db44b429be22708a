# SPDX-License-Identifier: BSD-3-Clause
# The machine's network card (00:08.0) and edu device (00:10.0) go to User VMs and come back, in one boot. Run by
# passthru.bats.
. /payload/guest/lib.sh
. /payload/guest/service/vm.sh
CARD=00:08.0
CYCLES=20

says_and_fails() { # NAME REGEX COMMAND...
	name=$1
	regex=$2
	shift 2
	"$@" >/tmp/said 2>&1 </dev/null
	code=$?
	cat /tmp/said
	check "$name" test $code != 0 -a "$(grep -cE "$regex" /tmp/said)" -ge 1
}
dm() { acrn-dm -m 128M -k /boot/hostile -B E --debugexit "$@" refused; }

# the Service VM's own use of the card
service_card_works() {
	modprobe e1000e || return 1
	until_true 20 test -e /sys/class/net/eth0 || return 1
	ip link set eth0 up
	ip addr add 10.0.2.15/24 dev eth0 2>/dev/null
	answers 10.0.2.2
}
service_disk_works() {
	modprobe nvme || return 1
	until_true 20 test -b /dev/nvme0n1 || return 1
	[ "$(dd if=/dev/nvme0n1 bs=64k count=64 2>/dev/null | md5sum | cut -d' ' -f1)" = "$sum" ]
}
linux() { # NAME WORDS OPTIONS...
	vm=$1
	VM_ARGS=$2
	shift 2
	vm_linux "$vm" /tmp/pt.img --cpu_affinity 0,1 "$@"
}

check module-loads hsm_load
user_image /tmp/pt.img /payload/guest/user/passthru.sh
mkdir -p /tmp/more/bin
cp "$(command -v dma)" /tmp/more/bin/
(cd /tmp/more && find bin | cpio -o -H newc 2>/dev/null) >>/tmp/pt.img

echo "=== what is refused"
check card-works-here-first service_card_works
rom=$(rom_of /sys/bus/pci/devices/0000:$CARD)
says_and_fails a-driver-keeps-its-device 'belongs to the driver e1000e.*acrnctl dev assign' dm -s 5,passthru,00/08/0
says_and_fails no-such-device 'there is no device 0000:00:09.7' dm -s 5,passthru,00/09/7
says_and_fails a-bridge-stays 'is a bridge' dm -s 5,passthru,00/1f/0
says_and_fails no-reset-no-device 'cannot be reset' dm -s 5,passthru,00/1f/2
says_and_fails a-group-is-not-split '0000:00:1f.2 goes only together with 0000:00:1f.3 .*because' acrnctl dev assign 00:1f.2
says_and_fails what-was-not-taken-cannot-return 'it was not taken' acrnctl dev return $CARD
acrnctl dev list
check list-shows-the-driver sh -c "acrnctl dev list | grep -q '^0000:$CARD.*yes *e1000e'"
check card-is-taken acrnctl dev assign $CARD
check card-is-gone-here test ! -e /sys/class/net/eth0
check list-shows-it-taken sh -c "acrnctl dev list | grep -q '^0000:$CARD.*taken'"
check edu-is-taken acrnctl dev assign 00:10.0
check more-are-taken acrnctl dev assign 00:11.0 00:12.0 00:13.0
acrnctl dev list

echo "=== device memory outside PCI: what edu's BAR is, given by itself"
printf '\002' | dd of=/sys/bus/pci/devices/0000:00:10.0/config bs=1 seek=4 conv=notrunc 2>/dev/null
edu_bar=$(head -n 1 /sys/bus/pci/devices/0000:00:10.0/resource | cut -d' ' -f1)
edu_id=$(busybox devmem "$edu_bar" 32)
check device-memory-comes-and-goes mmiodev "$edu_bar"

echo "=== a guest has card, disk and edu, restarts while they work, has them again; and attacks"
yes 'this is the Service VM, and nobody else writes here' | head -c 67108864 >/tmp/pattern
before=$(md5sum </tmp/pattern)
sum=$(sed -n 's/.*acrn.sum=\([^ ]*\).*/\1/p' /proc/cmdline)
truncate -s 1M /tmp/flag.img
linux pt1 "acrn.life=1 acrn.disk=$sum acrn.rom=$rom \
	acrn.attack=0x10000000,0x20000000,0x40000000,0x7f000000,0xfed80018,0x100000000,0x10000000000" \
	-s 3,virtio-blk,/tmp/flag.img -s 5,passthru,00/08/0 -s 6,passthru,00/10/0,no_reset -s 7,passthru,00/12/0
equal guest-with-card-ends-with-0 "$(vm_wait pt1 400)" 0
vm_checks pt1 user-
check card-works-after-a-restart vm_says pt1 'second life'
equal both-lives-passed "$(tr -d '\r' </tmp/pt1.out | grep -c '^PASS card-works$')" 2
equal nothing-here-changed "$(md5sum </tmp/pattern)" "$before"
equal hypervisor-still-answers "$(probe hypervisor)" ACRNACRNACRN

echo "=== a keyboard, a card that has only a line, device memory, a virtual function"
modprobe igb
PF=/sys/bus/pci/devices/0000:01:00.0
check virtual-function-is-made until_true 20 sh -c "echo 1 >$PF/sriov_numvfs"
ip link set "$(ls $PF/net)" up
check virtual-function-is-taken acrnctl dev assign 01:10.0
linux pt4 "acrn.more=$edu_id" -s 5,passthru,00/08/0 -s 7,passthru,00/13/0,no_reset -s 8,passthru,00/11/0,no_reset,irq=21 \
	-s 9,passthru,01/10/0 --mmiodev_pt "${edu_bar#0x},1000"
check device-memory-is-not-here until_true 60 sh -c "busybox devmem $edu_bar 32 | grep -qi 0xffffffff"
equal guest-with-more-ends-with-0 "$(vm_wait pt4 300)" 0
vm_checks pt4 user-
check virtual-function-comes-back acrnctl dev return 01:10.0
check virtual-function-goes sh -c "echo 0 >$PF/sriov_numvfs"
rmmod igb
equal device-memory-is-here-again "$(busybox devmem "$edu_bar" 32)" "$edu_id"

echo "=== kill -9 in the middle"
linux pt3 "acrn.talk=1" -s 5,passthru,00/08/0 -s 6,passthru,00/10/0,no_reset -s 7,passthru,00/12/0
check guest-talks until_true 240 vm_says pt3 '^flooding 0x'
acrnctl dev list | grep $CARD
check list-shows-a-vm-has-it sh -c "acrnctl dev list | grep -q '^0000:$CARD.*a VM has it'"
says_and_fails what-a-vm-has-cannot-return 'a VM has it' acrnctl dev return $CARD
says_and_fails nobody-else-gets-it 'does not answer: a VM has it' dm -s 5,passthru,00/08/0
flood=$(tr -d '\r' </tmp/pt3.out | sed -n 's/.*flooding \(0x[0-9a-f]*\).*/\1/p')
check a-dead-vms-device-writes-nowhere dead_dma "$(vm_pid pt3)" "$flood"
equal killed "$(vm_wait pt3 60)" 137
equal nothing-here-changed-by-a-dead-vm "$(md5sum </tmp/pattern)" "$before"
check card-comes-back acrnctl dev return $CARD
check more-come-back acrnctl dev return 00:11.0 00:12.0 00:13.0
check disk-works-here-after-a-kill service_disk_works
check card-works-here-after-a-kill service_card_works

echo "=== again and again"
done=0
start=$(cut -d. -f1 /proc/uptime)
for i in $(seq $CYCLES); do
	acrnctl dev assign $CARD >/dev/null || break
	vm_start "c$i" -m 128M -k /boot/hostile -B E --debugexit -s 5,passthru,00/08/0
	[ "$(vm_wait "c$i" 60)" = 43 ] || break
	acrnctl dev return $CARD >/dev/null || break
	until_true 20 test -e /sys/class/net/eth0 || break
	done=$((done + 1))
done
echo "$done cycles in $(($(cut -d. -f1 /proc/uptime) - start)) s"
equal all-cycles-ran $done $CYCLES
check card-works-here-after-all service_card_works
check module-unloads rmmod acrn_hsm
check kernel-log-is-clean kernel_log_is_clean
finish
