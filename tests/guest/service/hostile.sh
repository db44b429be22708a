# SPDX-License-Identifier: BSD-3-Clause
# User VMs that misbehave, while the Service VM watches its own pulse, its memory and its kernel log. Run by
# hostile.bats.
. /payload/guest/lib.sh
. /payload/guest/service/vm.sh
check module-loads hsm_load || finish
cpus=$(nproc)

# A pulse on each CPU; a User VM may take its fair share of one, and no more.
beat() {
	rm -f /tmp/stop-beat
	for i in $(seq 0 $((cpus - 1))); do
		taskset -c "$i" probe heartbeat /tmp/stop-beat >"/tmp/beat.$i" &
	done
}
pulse() { # NAME: passes when no pulse missed more than 1.5 s (the emulator itself is slow)
	touch /tmp/stop-beat
	usleep 300000
	worst=$(cat /tmp/beat.* | sort -n | tail -n 1)
	echo "longest gap between two heartbeats: $worst ms"
	check "$1" test "${worst:-99999}" -le 1500
}
tiny() { # NAME LETTER OPTIONS...
	vm=$1
	letter=$2
	shift 2
	vm_start "$vm" -m 128M -k /boot/hostile -B "$letter" "$@"
}

echo "=== touches what is not there"
beat
tiny odd M --debugexit
equal odd-guest-sees-only-faults "$(vm_wait odd 200)" 1
check odd-guest-came-to-its-end vm_says odd 'tiny guest: end'
vm_checks odd odd-
pulse service-vm-does-not-notice-odd

echo "=== spins with interrupts off"
beat
tiny spin S --cpu_affinity 0
check spinning-guest-runs until_true 30 vm_says spin 'tiny guest: (.* )?S'
md5=$(dd if=/dev/zero bs=1M count=16 2>/dev/null | taskset 1 md5sum | cut -d' ' -f1)
equal service-vm-computes-beside-it "$md5" 2c7ab85a893283e98c931e9511add182
usleep 3000000
pulse service-vm-does-not-notice-spin
kill -TERM "$(vm_pid spin)"
# it hears no power button: forced after the time acrn-dm allows
equal spinning-guest-is-stopped "$(vm_wait spin 60)" 0

echo "=== triple fault"
beat
tiny triple T --cmd_monitor /tmp/triple.sock
usleep 2000000
# it faults again after each reset; whoever registers hears of the next
probe say /tmp/triple.sock 5000 '{"command":"register_vm_event_client","arguments":""}' >/tmp/triple.events &
check triple-fault-is-told-to-the-monitor until_true 20 grep -q '^{"vm_event":2}' /tmp/triple.events
check triple-fault-resets-the-guest sh -c 'test "$(grep -c "the guest restarts" /tmp/triple.out)" -ge 1'
check triple-fault-came vm_says triple 'tiny guest: (.* )?T'
check triple-fault-does-not-run-on sh -c '! grep -q "tiny guest: end" /tmp/triple.out'
kill -KILL "$(vm_pid triple)" 2>/dev/null
vm_wait triple 20
pulse service-vm-does-not-notice-triple

echo "=== and a good guest still runs"
cat >/tmp/short.sh <<'TXT'
echo "good guest"
TXT
user_image /tmp/short.img /tmp/short.sh
vm_linux good /tmp/short.img
equal good-guest-runs-after-them "$(vm_wait good 180)" 0
check good-guest-says-its-word vm_says good 'good guest'
check kernel-log-is-clean kernel_log_is_clean
finish
