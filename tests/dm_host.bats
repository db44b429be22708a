#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# All of acrn-dm on this machine, with a guest that never runs (tests/fake/hsm_idle.c): options, threads, sockets, ends.
load helper

setup_file() {
	make --no-print-directory -s -C "$TOP/acrn-dm" O="$BUILD" idle kvm
}

setup() {
	dm=$BUILD/acrn-dm/acrn-dm-idle
	kernel=$(find "${ACRN_CACHE:-$HOME/.cache/acrn}/kernel/boot" -name 'vmlinuz-*' | head -n 1)
	cd "$BATS_TEST_TMPDIR"
	truncate -s 16M disk other
}

teardown() {
	[ -z "${pid:-}" ] || kill -KILL "$pid" 2>/dev/null || true
	wait 2>/dev/null || true
}

# start OPTIONS...: in the background, until its API takes connections (its name is there a moment before)
start() {
	"$dm" -m 256M -k "$kernel" --api-socket api "$@" vm1 </dev/null >out 2>&1 3>&- &
	pid=$!
	for _ in $(seq 600); do
		[ ! -S api ] || ! socat /dev/null UNIX-CONNECT:api 2>/dev/null || return 0
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.1
	done
	cat out
	return 1
}

# api COMMAND [ARGUMENTS]: its answer
api() {
	printf '{"command":"%s","arguments":%s}\n' "$1" "${2:-{\}}" | socat -t 30 - UNIX-CONNECT:api | tail -n 1
}

ends_with() {
	local status=0
	wait "$pid" || status=$?
	pid=
	[ "$status" = "$1" ] || { cat out; echo "status $status"; return 1; }
}

every_device=(-s 3,virtio-blk,iothread=2,mq=2,disk,writeback,discard -s 4,virtio-blk,iothread=1@0,other,aio=io_uring
	-s 5,virtio-net,user -s 6,virtio-console,@pty:one,file:two=ports -s 7,virtio-rnd -s 8,wdt-i6300esb
	-s 9,pvpanic,action=report -s 10,virtio-blk,nodisk)

@test "with every device it starts, tells of itself, and ends as it is told" {
	start "${every_device[@]}"
	[[ $(api status) == *'"state":"running","name":"vm1","vcpus":2,"memory":268435456'* ]]
	[[ $(api statistics) == *'"driver":"virtio-net","rx_frames":0'* ]]
	[[ $(api pause) == *'"return":{}'* ]]
	[[ $(api status) == *'"state":"paused"'* ]]
	[[ $(api resume) == *'"return":{}'* ]]
	[[ $(api status) == *'"state":"running"'* ]]
	[[ $(api stop '{"force":true}') == *'"return":{}'* ]]
	ends_with 0
	[ ! -e api ]
}

@test "each of its threads has no capability, no way to new ones, and a filter" {
	start "${every_device[@]}"
	api status
	n=0
	for status in /proc/"$pid"/task/*/status; do
		name=$(sed -n 's/^Name:[[:space:]]*//p' "$status")
		grep -qE '^CapEff:[[:space:]]*0+$' "$status" || { echo "$name has capabilities"; return 1; }
		grep -qE '^NoNewPrivs:[[:space:]]*1$' "$status" || { echo "$name can get privileges"; return 1; }
		grep -qE '^Seccomp:[[:space:]]*2$' "$status" || { echo "$name has no filter"; return 1; }
		n=$((n + 1))
	done
	[ "$n" -ge 16 ]
}

@test "it takes at most 5 MiB beside its guest's memory" {
	start -s 3,virtio-blk,disk -s 5,virtio-net,user -s 7,virtio-rnd
	api status
	kib=$(awk '/^[0-9a-f]+-/ {large = 0} /^Size:/ {large = $2 >= 65536} /^Pss:/ && !large {sum += $2} END {print sum}' \
		"/proc/$pid/smaps")
	echo "$kib KiB"
	[ "$kib" -le 5120 ]
}

@test "a disk is attached and resized while the VM runs" {
	start -s 3,virtio-blk,nodisk
	[[ $(api block-attach '{"slot":3,"medium":"disk"}') == *'"return":{}'* ]]
	[[ $(api block-attach '{"slot":3,"medium":"disk"}') == *EBUSY* ]]
	[[ $(api block-resize '{"slot":3,"bytes":33554432}') == *'"return":{}'* ]]
	[ "$(stat -c %s disk)" = 33554432 ]
	[[ $(api statistics) == *'"capacity":33554432'* ]]
	run "$dm" -m 256M -k "$kernel" -s 3,virtio-blk,disk vm2
	[ "$status" = 1 ] && [[ $output == *"disk: is in use by another VM or disk"* ]]
}

@test "a balloon is refused where memory cannot be taken back, its command where there is none" {
	start
	[[ $(api balloon '{"bytes":4096}') == *ENODEV*'no virtio-balloon'* ]]
	run "$dm" -m 256M -k "$kernel" -s 3,virtio-balloon vm2
	[ "$status" = 1 ] && [[ $output == *"this HSM takes no memory back"* ]]
}

@test "events reach who asked for them" {
	start
	mkfifo listener
	socat -t 30 - UNIX-CONNECT:api <listener >events 3>&- &
	exec 8>listener
	echo '{"command":"events"}' >&8
	for _ in $(seq 600); do
		! grep -q '"return"' events || break
		sleep 0.1
	done
	api reset
	for _ in $(seq 600); do
		grep -q '"event":"reset"' events && break
		sleep 0.1
	done
	exec 8>&-
	grep -q '"event":"reset","time_ns":' events
}

@test "SIGINT ends it with 0, SIGTERM asks the guest first and insists at the second time" {
	start
	api status
	kill -INT "$pid"
	ends_with 0
	start
	api status
	kill -TERM "$pid"
	sleep 0.5
	kill -0 "$pid"
	kill -TERM "$pid"
	ends_with 0
}

@test "a driver that is not there, and a bad option, are refused with a sentence" {
	run "$dm" -k "$kernel" -s 3,virtio-fs,x vm1
	[ "$status" = 1 ] && [[ $output == *'there is no driver "virtio-fs"'* ]]
	run "$dm" -k "$kernel" -s 3,virtio-blk,disk,fast vm1
	[ "$status" = 1 ] && [[ $output == *"option 'fast' is unknown"* ]]
}

@test "huge pages that nobody has set aside are refused with a sentence" {
	refused 'not enough huge pages (sysctl vm.nr_hugepages=131072)' -m 256G --hugetlb -k "$kernel" vm1
}

@test "each device that is not built says so in one line" {
	for word in virtio-gpu,geometry=window xhci,1-1 ahci,hd:disk ahci-cd,disk ivshmem,hv:/shm,2 virtio-i2c,1-1 \
		virtio-gpio,@gpiochip0 virtio-fs,/srv virtio-audio virtio-heci,native virtio-rpmb igd-lpc dummy; do
		refused 'is not started' -k "$kernel" -s "3,$word" vm1
		[ "$(wc -l <out)" = 1 ]
	done
	refused 'vtpm2' -k "$kernel" --vtpm2 sock_path=x vm1
	[ "$(wc -l <out)" = 1 ]
}

@test "the manual's command lines run as they stand" {
	ln -s "$kernel" vmlinuz
	head -c 4096 /dev/zero >initrd.img
	cp /usr/share/OVMF/OVMF_VARS_4M.fd vars.fd
	ln -s disk disk.img
	sed -n 's/^acrn\\-dm //p' "$TOP/acrn-dm/acrn-dm.8" | sed 's/\\-/-/g' >lines
	[ -s lines ]
	while read -r line; do
		echo "acrn-dm $line"
		# shellcheck disable=SC2086
		"$dm" --api-socket api $line </dev/null >out 2>&1 3>&- &
		pid=$!
		for _ in $(seq 600); do
			socat /dev/null UNIX-CONNECT:api 2>/dev/null && break
			sleep 0.1
		done
		api stop '{"force":true}'
		ends_with 0
	done <lines
}

@test "a tap of two queues is made and goes again; vhost without its node is refused" {
	name=acrn$$
	run ip tuntap add dev "$name" mode tap
	[ "$status" = 0 ] || skip "no taps can be made here"
	ip link del "$name"
	start -s "5,virtio-net,tap=$name,queues=2,mac=02:00:00:00:00:05"
	[ "$(ls -d "/sys/class/net/$name/queues"/rx-* | wc -l)" -ge 2 ]
	api stop '{"force":true}'
	ends_with 0
	[ ! -e "/sys/class/net/$name" ]
	[ ! -e /dev/vhost-net ] || skip "this machine has vhost-net"
	run "$dm" -k "$kernel" -s "5,virtio-net,tap=$name,vhost" vm1
	[ "$status" = 1 ] && [[ $output == *"/dev/vhost-net: No such file"* ]]
}

@test "an ordinary user can run it" {
	[ "$(id -u)" = 0 ] || skip "this is one"
	chmod 777 . && chmod 666 disk && cp "$kernel" vmlinuz && chmod 644 vmlinuz
	as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	cp "$dm" dm && chmod 755 dm
	"${as[@]}" test -x ./dm -a -r vmlinuz || skip "this folder is closed to others"
	"${as[@]}" ./dm -m 256M -k vmlinuz --api-socket api -s 3,virtio-blk,disk -s 5,virtio-net,user vm1 \
		</dev/null >out 2>&1 3>&- &
	pid=$!
	for _ in $(seq 600); do
		socat /dev/null UNIX-CONNECT:api 2>/dev/null && break
		sleep 0.1
	done
	[[ $(api status) == *running* ]]
	api stop '{"force":true}'
	ends_with 0
}

# ask_monitor OBJECT: the answer of the original's command socket
ask_monitor() { printf '%s\n' "$1" | socat -t 30 - UNIX-CONNECT:mon; }

@test "the original's command socket answers as it did" {
	start --cmd_monitor mon -s 3,virtio-blk,nodisk
	[ "$(ask_monitor '{"command":"dance"}')" = '{"ack":-1}' ]
	[ "$(ask_monitor '{"command":"blkrescan","arguments":"3,/nowhere"}')" = '{"ack":-1}' ]
	[ "$(ask_monitor '{"command":"blkrescan","arguments":"3,disk"}')" = '{"ack":0}' ]
	[[ $(api statistics) == *'"capacity":16777216'* ]]
	[ "$(ask_monitor '{"command":"destroy","arguments":""}')" = '{"ack":0}' ]
	ends_with 0
}

@test "a command line of the original runs, with one warning for each word that means nothing now" {
	start -A -s 0:0,hostbridge -s 1:0,lpc -s 3,virtio-blk,b,disk,no_bst_block,aio=threads \
		-s 5,virtio-console,@stdio:stdio_port -s 7,virtio-rnd --mac_seed X --iasl /usr/bin/iasl \
		--logger_setting "console,level=4" --virtio_poll 1000000
	api stop '{"force":true}'
	ends_with 0
	[ "$(grep -c 'is obsolete and ignored' out)" = 3 ]
}

@test "acrn-dm has no shell, and no name in /tmp" {
	# a name that mkdtemp() chooses is nobody else's
	run grep -rnE '\b(system|popen)\(|"/tmp([^X]*"|[^"]*[^X]")' "$TOP/acrn-dm" --include='*.[ch]'
	echo "$output"
	[ "$status" = 1 ]
}

# refused WORDS OPTIONS...: it does not start, and says so in those words
refused() {
	local words=$1 status=0
	shift
	timeout 20 "$dm" "$@" >out 2>&1 || status=$?
	cat out
	[ "$status" = 1 ]
	grep -q -- "$words" out
}

@test "--ovmf: firmware starts with variables of its own, which no second VM gets" {
	cp /usr/share/OVMF/OVMF_VARS_4M.fd vars
	start --ovmf code=/usr/share/OVMF/OVMF_CODE_4M.fd,vars=vars -s 3,virtio-blk,b,disk
	refused 'in use by another VM' --ovmf code=/usr/share/OVMF/OVMF_CODE_4M.fd,vars=vars vm2
	api stop '{"force":true}'
	ends_with 0
	cmp vars /usr/share/OVMF/OVMF_VARS_4M.fd
}

@test "firmware and kernels that are none are refused with a sentence" {
	head -c 5000 /dev/zero >odd
	refused 'odd is not a firmware image' --ovmf odd vm1
	refused 'cannot open missing' --ovmf code=/usr/share/OVMF/OVMF_CODE_4M.fd,vars=missing vm1
	refused 'it is not an ELF file' -E odd vm1
	refused 'needs firmware' --machine q35 -k "$kernel" vm1
	refused 'is not a Linux kernel' --ovmf /usr/share/ovmf/OVMF.fd -k odd vm1
}

@test "--config gives what the command line would" {
	printf '# one\nname = vm1\nkernel = %s\nmemsize = 256M\napi-socket = api\npci_slot = 3,virtio-blk,disk\n' "$kernel" >conf
	"$dm" --config conf </dev/null >out 2>&1 3>&- &
	pid=$!
	for _ in $(seq 600); do socat /dev/null UNIX-CONNECT:api 2>/dev/null && break; sleep 0.1; done
	[[ $(api status) == *'"name":"vm1"'* ]]
	api stop '{"force":true}'
	ends_with 0
	printf 'name = vm1\nkernal = x\n' >conf
	refused 'conf, line 2' --config conf
}

@test "-s help and -s DRIVER,help tell the options of drivers" {
	"$dm" -s help 2>&1 | grep -q virtio-blk
	"$dm" -s virtio-blk,help 2>&1 | grep -q sectorsize
	refused 'is not' -s nothing,help
}

@test "the log's channels have levels" {
	start --logger_setting console,level=4
	api stop '{"force":true}'
	ends_with 0
	grep -q 'the guest is off' out
	start --logger_setting console,level=1
	api stop '{"force":true}'
	ends_with 0
	! grep -q 'the guest is off' out
	refused 'logger_setting' -k "$kernel" --logger_setting console,level=6 vm1
}

@test "an AMD host bridge, serial ports on files and nothing: each word does what it says" {
	start -s 0:0,amd_hostbridge -l com1,file:first -l com5,null,0x9100,11
	api stop '{"force":true}'
	ends_with 0
	[ -e first ]
	refused 'com1' -k "$kernel" -l com1,tcp:0 vm1
}

@test "every option of the manual and of the help has a test, which is there" {
	"$DEV/dm-options" "$dm" >named
	[ "$(wc -l <named)" -gt 80 ]
	"$DEV/check-covers" "$TOP/tests/covers/options" named
}
