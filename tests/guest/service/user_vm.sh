# SPDX-License-Identifier: BSD-3-Clause
# The life of User VMs, one after another, in one boot: to a shell with every device, reboot, power off, the ways to
# be stopped, and what acrn-dm refuses. Run by user_vm.bats.
. /payload/guest/lib.sh
. /payload/guest/service/vm.sh
cpus=$(nproc)

echo "=== module and device model"
check module-loads hsm_load
check version-is-one-line sh -c 'acrn-dm -v | grep -c . | grep -qx 1'
check help-lists-options sh -c 'acrn-dm -h 2>&1 | grep -q -- --cpu_affinity'
net_up
net_tap tap0

echo "=== a User VM with everything"
dd if=/dev/urandom of=/tmp/disk.img bs=1M count=8 2>/dev/null
truncate -s 16M /tmp/fs.img
truncate -s 1M /tmp/ro.img
md5=$(md5sum </tmp/disk.img | cut -d' ' -f1)
user_image /tmp/shell.img /payload/guest/user/shell.sh
sleep 1000 | nc -l -p 4000 >/tmp/net.out &
VM_ARGS="acrn.cpus=2 acrn.md5=$md5"
vm_linux vm1 /tmp/shell.img --cpu_affinity 0,1 -s 0,hostbridge -s 1,lpc -l com1,stdio -l com2,file:/tmp/com2.out \
	-s 3,virtio-blk,/tmp/disk.img -s 4,virtio-net,tap=tap0 -s 5,virtio-console,@file:con=/tmp/con.out \
	-s 6,virtio-rnd -s 7,virtio-blk,iothread=2,mq=2,/tmp/fs.img,writeback,aio=io_uring -s 8,virtio-blk,/tmp/ro.img,ro
while ! vm_ended vm1; do vm_counters vm1; usleep 500000; done >/tmp/vm1.counters &
equal power-off-ends-with-0 "$(vm_wait vm1 240)" 0
counters=$(tail -n 1 /tmp/vm1.counters)
echo "requests of vm1: $counters"
check notifications-do-not-stop-the-guest test "$(counter asyncio "$counters")" -gt 100
equal no-notification-was-a-request "$(counter ioeventfd "$counters")" 0
check user-vm-came-to-its-shell vm_says vm1 'USER-EXIT [0-9]+'
vm_checks vm1 user-
equal disk-file-holds-what-was-written "$(dd if=/tmp/disk.img bs=64k skip=16 count=8 2>/dev/null | md5sum | cut -d' ' -f1)" \
	"$(sed -n 's/^wrote \([0-9a-f]*\).*/\1/p' /tmp/vm1.out)"
check network-word-arrived grep -q 'hello from the user vm' /tmp/net.out
check console-word-arrived grep -q 'a word over virtio-console' /tmp/con.out
check com2-word-arrived grep -q 'a word over com2' /tmp/com2.out

echo "=== guest reboot"
cat >/tmp/reboot.sh <<'TXT'
if [ "$(head -c 1 /dev/vda)" = 1 ]; then echo "second life"; poweroff -f; fi
echo 1 | dd of=/dev/vda conv=fsync 2>/dev/null
echo "first life"
reboot -f
TXT
user_image /tmp/reboot.img /tmp/reboot.sh
truncate -s 1M /tmp/flag.img
VM_ARGS=
vm_linux again /tmp/reboot.img -s 3,virtio-blk,/tmp/flag.img
equal reboot-then-off-ends-with-0 "$(vm_wait again 240)" 0
check reboot-restarts sh -c "grep -q 'first life' /tmp/again.out && grep -q 'second life' /tmp/again.out"

echo "=== no option but what is needed; SIGTERM"
cat >/tmp/wait.sh <<'TXT'
echo "bare guest waits, $(nproc) CPU"
sleep 1000
TXT
user_image /tmp/wait.img /tmp/wait.sh
vm_start bare -m 512M -k $KERNEL -r /tmp/wait.img -B "console=ttyS0 quiet"
check bare-guest-runs until_true 240 vm_says bare 'bare guest waits'
kill -TERM "$(vm_pid bare)"
equal sigterm-ends-with-0 "$(vm_wait bare 60)" 0
check sigterm-presses-the-power-button vm_says bare 'power button'

echo "=== the command socket"
cat >/tmp/grow.sh <<'TXT'
size=none
while usleep 100000; do
	new=$(blockdev --getsize64 /dev/vda)
	[ "$new" = "$size" ] || echo "disk of $new bytes"
	size=$new
done
TXT
user_image /tmp/grow.img /tmp/grow.sh
vm_linux grow /tmp/grow.img -s 3,virtio-blk,nodisk --cmd_monitor /tmp/grow.sock
ask() { probe say /tmp/grow.sock 1000 "$@" | tr -d '\n'; }
check grow-guest-runs until_true 240 vm_says grow 'disk of 0 bytes'
truncate -s 4M /tmp/grown.img
equal monitor-refuses-what-it-does-not-know "$(ask '{"command":"dance"}' 'no JSON' \
	'{"command":"blkrescan","arguments":"9,/tmp/grown.img"}' '{"command":"blkrescan","arguments":"3,/tmp/none"}')" \
	'{"ack":-1}{"ack":-1}{"ack":-1}{"ack":-1}'
equal monitor-takes-blkrescan "$(ask '{"command":"blkrescan","arguments":"3,/tmp/grown.img"}')" '{"ack":0}'
equal monitor-refuses-a-second-disk "$(ask '{"command":"blkrescan","arguments":"3,/tmp/grown.img"}')" '{"ack":-1}'
check blkrescan-reaches-the-guest until_true 60 vm_says grow 'disk of 4194304 bytes'
equal monitor-takes-destroy "$(ask '{"command":"destroy"}')" '{"ack":0}'
equal destroy-ends-with-0 "$(vm_wait grow 60)" 0

echo "=== pause and resume"
cat >/tmp/beat.sh <<'TXT'
n=0
while usleep 100000; do
	n=$((n + 1))
	blockdev --flushbufs /dev/vda
	dd if=/dev/vda of=/dev/null bs=4k count=1 2>/dev/null && echo "beat $n"
done
TXT
user_image /tmp/beat.img /tmp/beat.sh
truncate -s 1M /tmp/beat.disk
vm_linux beat /tmp/beat.img -s 3,virtio-blk,/tmp/beat.disk --api-socket /tmp/beat.sock
api() { probe say /tmp/beat.sock 1000 "{\"command\":\"$1\"}" | tr -d '\n'; }
says_more() { [ "$(grep -ac '^beat' "/tmp/$1.out")" -gt "$2" ]; }
check beat-guest-runs until_true 240 vm_says beat 'beat 3'
check vm-is-paused eval 'api pause | grep -q "return"'
check status-says-paused eval 'api status | grep -q "\"state\":\"paused\""'
usleep 500000
beats=$(grep -ac '^beat' /tmp/beat.out)
sleep 3
equal paused-guest-does-nothing "$(grep -ac '^beat' /tmp/beat.out)" "$beats"
check vm-is-resumed eval 'api resume | grep -q "return"'
check resumed-guest-goes-on until_true 60 says_more beat $((beats + 3))
for _ in 1 2 3 4 5; do api pause; api resume; done >/tmp/beat.api
beats=$(grep -ac '^beat' /tmp/beat.out)
check five-pauses-harm-nothing until_true 60 says_more beat $((beats + 3))
api pause >/dev/null
check paused-vm-is-reset eval 'api reset | grep -q "return"'
check reset-guest-begins-again until_true 240 eval 'tail -n 30 /tmp/beat.out | grep -q "^beat 2[^0-9]*\$"'
api pause >/dev/null
kill -INT "$(vm_pid beat)"
equal paused-vm-ends-with-0 "$(vm_wait beat 60)" 0

echo "=== memory that the guest does not need"
cat >/tmp/lend.sh <<'TXT'
. /payload/lib.sh
modprobe virtio_balloon
step() {
	echo "waits for step $1, $(awk '/MemFree/ {print $2}' /proc/meminfo) KiB free"
	until blockdev --flushbufs /dev/vda && [ "$(head -c 1 /dev/vda)" = "$1" ]; do usleep 200000; done
}
fill() { yes acrn | head -c 83886080 >/tmp/fill && echo "filled $(md5sum </tmp/fill | cut -d' ' -f1)"; }
step 1
fill
step 2
rm /tmp/fill
step 3
fill
poweroff -f
TXT
user_image /tmp/lend.img /tmp/lend.sh
truncate -s 1M /tmp/step.img
step() { printf %s "$1" | dd of=/tmp/step.img conv=notrunc 2>/dev/null; }
vm_linux lend /tmp/lend.img -s 3,virtio-blk,/tmp/step.img -s 4,virtio-balloon --api-socket /tmp/lend.sock
figure() { probe say /tmp/lend.sock 1000 '{"command":"statistics"}' | sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"; }
inflate() { probe say /tmp/lend.sock 1000 "{\"command\":\"balloon\",\"arguments\":{\"bytes\":$1}}" | grep -q return; }
is_figure() { [ "$(figure "$1")" "$2" "$3" ]; }
free_kib() { awk '/MemFree/ {print $2}' /proc/meminfo; }
check lend-guest-runs until_true 240 vm_says lend 'waits for step 1'
check free-pages-go-back until_true 120 is_figure returned -ge 83886080
free=$(free_kib)
echo "the Service VM has $free KiB, $(figure returned) of the User VM's bytes"
check what-went-back-is-not-pinned vm_pinned_at_most $(((256 - 80 + 4) * 256))
step 1
check guest-uses-its-memory-again until_true 240 vm_says lend 'waits for step 2'
echo "the Service VM has $(free_kib) KiB, $(figure returned) of the User VM's bytes"
check memory-that-is-touched-comes-again test $((free - $(free_kib))) -ge 40960
step 2
check balloon-takes-a-size inflate 67108864
check balloon-inflates until_true 240 is_figure actual -eq 67108864
check guest-gave-up-what-was-asked until_true 60 is_figure returned -ge 50331648
check balloon-takes-nothing inflate 0
check balloon-deflates until_true 240 is_figure actual -eq 0
step 3
equal lend-guest-ends-with-0 "$(vm_wait lend 240)" 0
equal its-memory-was-sound "$(grep -ac "^filled $(yes acrn | head -c 83886080 | md5sum | cut -d' ' -f1)" /tmp/lend.out)" 2

echo "=== a guest that hears nothing: SIGINT, --debugexit"
vm_start deaf -m 128M -k /boot/hostile -B S
check deaf-guest-runs until_true 60 vm_says deaf 'tiny guest: (.* )?S'
kill -INT "$(vm_pid deaf)"
equal sigint-ends-with-0 "$(vm_wait deaf 60)" 0
vm_start dbg -m 128M -k /boot/hostile -B E --debugexit
equal debugexit-gives-its-status "$(vm_wait dbg 60)" 43

echo "=== what is refused"
many=$(seq -s, 0 "$cpus")
vm_start many -m 256M -k $KERNEL -r $INITRD -B "$USER_ARGS" --cpu_affinity "$many"
code=$(vm_wait many 30)
check too-many-cpus-are-refused test "$code" != 0 -a "$code" != running
check too-many-cpus-get-a-sentence sh -c "grep -v '^$' /tmp/many.out | grep -qi cpu"
for words in "--rtvm" "--rtvm --lapic_pt --cpu_affinity 1" "-s 3,xhci"; do
	# shellcheck disable=SC2086
	acrn-dm -m 256M -k $KERNEL $words refused >/tmp/refused.out 2>&1
	code=$?
	key=$(echo "$words" | tr -cd 'a-zA-Z')
	check "refuses-$key" test $code != 0 -a "$(grep -c . /tmp/refused.out)" = 1
done
acrn-dm -m 64M -k $KERNEL small >/tmp/refused.out 2>&1 && fail refuses-64M "it started" || pass refuses-64M
acrn-dm -m 256M -k /nonexistent none >/tmp/refused.out 2>&1
check refuses-a-missing-kernel sh -c 'grep -q /nonexistent /tmp/refused.out'

letter() { # NAME LETTER OPTIONS...
	name=$1
	letter=$2
	shift 2
	vm_start "$name" -m 128M -k /boot/hostile -B "$letter" --debugexit "$@"
}

echo "=== huge pages"
huge_free() { awk '/HugePages_Free/ {print $2}' /proc/meminfo; }
letter few E --hugetlb
equal too-few-huge-pages-are-refused "$(vm_wait few 30)" 1
check too-few-huge-pages-get-a-sentence vm_says few 'vm.nr_hugepages=64'
echo 64 >/proc/sys/vm/nr_hugepages
letter huge S --hugetlb
check huge-guest-runs until_true 60 vm_says huge 'tiny guest: (.* )?S'
equal huge-pages-are-used "$(huge_free)" 0
kill -INT "$(vm_pid huge)"
vm_wait huge 60
equal huge-pages-come-back "$(huge_free)" 64
echo 0 >/proc/sys/vm/nr_hugepages

echo "=== a VM that has its CPU alone"
letter early S --rtvm --cpu_affinity 1
equal a-cpu-in-use-is-nobodys-alone "$(vm_wait early 30)" 1
check a-cpu-in-use-gets-a-sentence vm_says early 'given up'
check service-vm-gives-up-a-cpu sh -c 'echo 1 >/sys/class/misc/acrn_hsm/remove_cpu && [ "$(nproc)" = 1 ]'
check giving-it-up-twice-does-no-harm sh -c 'echo 1 >/sys/class/misc/acrn_hsm/remove_cpu'
letter rt S --rtvm --cpu_affinity 1 --cmd_monitor /tmp/rt.sock
check rt-guest-runs until_true 60 vm_says rt 'tiny guest: (.* )?S'
letter second E --rtvm --cpu_affinity 1
equal its-cpu-takes-no-second-one "$(vm_wait second 30)" 1
letter guest E --cpu_affinity 0,1
equal its-cpu-takes-no-guest "$(vm_wait guest 30)" 1
check its-cpu-gets-a-sentence vm_says guest 'real-time VM'
letter beside E
equal a-vm-beside-it-takes-the-other-cpu "$(vm_wait beside 60)" 43
equal rt-guest-is-not-destroyed-by-a-word "$(probe say /tmp/rt.sock 1000 '{"command":"destroy"}')" '{"ack":-1}'
kill -INT "$(vm_pid rt)"
equal rt-guest-ends-with-0 "$(vm_wait rt 60)" 0
letter after E --cpu_affinity 1
equal its-cpu-is-free-after-it "$(vm_wait after 60)" 43

check module-unloads rmmod acrn_hsm
check kernel-log-is-clean kernel_log_is_clean
finish
