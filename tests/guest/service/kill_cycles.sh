# SPDX-License-Identifier: BSD-3-Clause
# Fifty times: create, boot, kill -9 acrn-dm. Nothing may stay: no VM, no pinned page, no memory. Each fifth guest is
# Debian's kernel, killed somewhere in its boot; the others are the tiny guest, killed while it spins. Run by
# kill_cycles.bats.
. /payload/guest/lib.sh
. /payload/guest/service/vm.sh
CYCLES=50
check module-loads hsm_load || finish

# free memory, with the pages that wait on the CPUs' own lists: megabytes that come and go
free_kib() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
	usleep 300000
	awk '/^MemFree:/ {kib += $2} /^ *count:/ {kib += 4 * $2} END {print kib}' /proc/meminfo /proc/zoneinfo
}

one() { # CYCLE
	if [ $(($1 % 5)) = 0 ]; then
		vm_start "k$1" -m 256M -k $KERNEL -r $INITRD -B "console=ttyS0 earlyprintk=serial panic=-1" -s 3,virtio-rnd
		until_true 60 vm_says "k$1" 'Linux version' || return 1
		usleep $(($1 * 20000))
	else
		vm_start "k$1" -m 128M -k /boot/hostile -B S
		until_true 60 vm_says "k$1" 'tiny guest: (.* )?S' || return 1
	fi
	kill -KILL "$(vm_pid "k$1")"
	[ "$(vm_wait "k$1" 30)" = 137 ]
}

done=0
for i in $(seq 1 $CYCLES); do
	one "$i" || { fail "cycle-$i" "$(tail -n 2 "/tmp/k$i.out")"; break; }
	rm -f /tmp/k"$i".*
	done=$((done + 1))
	# the first cycles fill caches that stay
	if [ "$i" = 5 ]; then
		usleep 2000000
		pins=$(vm_pinned)
		mem=$(free_kib)
	fi
done
equal all-cycles-ran $done $CYCLES
until_true 10 vm_pinned_at_most "$pins"
pins_now=$(vm_pinned)
mem_now=$(free_kib)
echo "pinned pages after 5 cycles $pins, after $done cycles $pins_now; free KiB $mem, then $mem_now"
check no-pinned-page-stays test "$pins_now" -le "${pins:--1}"
check no-memory-stays test $((mem - mem_now)) -le 4096
check no-acrn-dm-stays sh -c '! pidof acrn-dm'
cat >/tmp/short.sh <<'TXT'
echo "good guest"
TXT
user_image /tmp/short.img /tmp/short.sh
vm_linux good /tmp/short.img
equal a-good-guest-runs-afterwards "$(vm_wait good 180)" 0
check module-unloads rmmod acrn_hsm
check kernel-log-is-clean kernel_log_is_clean
finish
