# SPDX-License-Identifier: BSD-3-Clause
# How the scripts in the Service VM start User VMs. Sourced after lib.sh. A VM called NAME leaves /tmp/NAME.out (what
# acrn-dm and the guest's first serial port said, also shown with "NAME| " before each line) and /tmp/NAME.code.

KERNEL=/boot/vmlinuz
INITRD=/boot/initrd.img
USER_ARGS="console=ttyS0 quiet loglevel=4 panic=-1"

# hsm_load: the module, and its device; the reason is in dmesg
hsm_load() {
	[ -e /lib/modules/acrn_hsm.ko ] || { echo "no acrn_hsm.ko in the image"; return 1; }
	lsmod | grep -q '^acrn_hsm ' || insmod /lib/modules/acrn_hsm.ko || { dmesg | tail -n 5; return 1; }
	until_true 5 test -c /dev/acrn_hsm
}

kernel_log_is_clean() { ! dmesg | grep -E 'BUG:|Oops|WARNING:|Call Trace|soft lockup|rcu.*stall'; }

# user_image OUT SCRIPT [FILE...]: the User VM's initrd with SCRIPT as /payload/run and FILEs beside it
user_image() {
	out=$1
	rm -rf /tmp/overlay
	mkdir -p /tmp/overlay/payload
	cp /payload/guest/lib.sh /tmp/overlay/payload/
	cp "$2" /tmp/overlay/payload/run
	shift 2
	[ $# = 0 ] || cp "$@" /tmp/overlay/payload/
	{
		cat "$INITRD"
		(cd /tmp/overlay && find payload | cpio -o -H newc 2>/dev/null)
	} >"$out"
}

# net_up: a bridge for the User VMs; ours is 10.9.0.1
net_up() {
	modprobe bridge
	brctl addbr br0
	ip addr add 10.9.0.1/24 dev br0
	ip link set br0 up
}

# net_tap NAME: a tap on the bridge
net_tap() {
	tunctl -t "$1" >/dev/null
	brctl addif br0 "$1"
	ip link set "$1" up
}

# vm_start NAME ACRN-DM-OPTIONS...: in the background
vm_start() {
	vm=$1
	shift
	rm -f "/tmp/$vm.code"
	: >"/tmp/$vm.out"
	(
		acrn-dm "$@" "$vm" <"${VM_INPUT:-/dev/null}" >"/tmp/$vm.out" 2>&1 &
		echo $! >"/tmp/$vm.pid"
		wait $!
		echo $? >"/tmp/$vm.code"
	) &
	rm -f "/tmp/$vm.pipe"
	mkfifo "/tmp/$vm.pipe"
	tail -f "/tmp/$vm.out" >"/tmp/$vm.pipe" 2>/dev/null &
	echo $! >"/tmp/$vm.tail"
	while read -r line; do echo "$vm| $line"; done <"/tmp/$vm.pipe" &
	until_true 5 test -s "/tmp/$vm.pid"
}

# vm_linux NAME IMAGE ACRN-DM-OPTIONS...: the usual User VM
vm_linux() {
	vm=$1
	image=$2
	shift 2
	vm_start "$vm" -m 256M -k "$KERNEL" -r "$image" -B "$USER_ARGS $VM_ARGS" "$@"
}

vm_pid() { cat "/tmp/$1.pid"; }

# vm_says NAME REGEX
vm_says() { grep -aqE "$2" "/tmp/$1.out"; }

# vm_ended NAME: acrn-dm is gone, its exit code known
vm_ended() { [ -s "/tmp/$1.code" ]; }

# vm_wait NAME SECONDS: prints acrn-dm's exit code, or "running" when it did not end
vm_wait() {
	if until_true "$2" vm_ended "$1"; then
		code=$(cat "/tmp/$1.code")
	else
		code=running
	fi
	usleep 200000
	kill "$(cat "/tmp/$1.tail")" 2>/dev/null
	echo "$code"
}

# vm_counters NAME: a line of what its guest asked for so far: "pio N mmio N pci N ioeventfd N asyncio N ..."
vm_counters() { sed -n "/^vm [0-9]* \"$1\" live/{n;p;}" /sys/kernel/debug/acrn_hsm/vms; }

# counter NAME LINE: one of them
counter() { echo "$2" | sed "s/.*\b$1 \([0-9]*\).*/\1/"; }

# vm_pinned: how many pages are pinned for User VMs
vm_pinned() {
	# counters of each CPU are added up only now and then
	cat /proc/sys/vm/stat_refresh
	awk '$1 == "nr_foll_pin_acquired" {n += $2} $1 == "nr_foll_pin_released" {n -= $2} END {print n + 0}' /proc/vmstat
}
vm_pinned_at_most() { [ "$(vm_pinned)" -le "$1" ]; }

# vm_checks NAME PREFIX: the PASS and FAIL lines of the guest become ours
vm_checks() {
	tr -d '\r' <"/tmp/$1.out" | grep -aE '^(PASS|FAIL) ' | sed -E "s/^(PASS|FAIL) /\1 $2/" >/tmp/lines
	cat /tmp/lines
	failures=$((failures + $(grep -c '^FAIL' /tmp/lines)))
}
