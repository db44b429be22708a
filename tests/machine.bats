#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# One boot of OVMF, acrn.efi and Debian's kernel on four CPUs: what the Service VM finds, and what it must not.
load helper

setup_file() {
	local disk=$BATS_FILE_TMPDIR/disk.img
	head -c 8M /dev/urandom >"$disk"
	monitor_when machine 'an NMI, please' nmi
	boot machine --smp 4 --mem 2G --disk "$disk" --timeout 400 --off --run "$TOP/tests/guest/service/machine.sh" \
		--append "acrn.cpus=4 acrn.md5=$(md5sum <"$disk" | cut -d' ' -f1)" -- "${MONITOR[@]}"
	kill "$MONITOR_PID" 2>/dev/null || true
}

@test "firmware starts acrn.efi, and Debian's unmodified kernel runs its test to the end" {
	says machine "^TEST-EXIT [0-9]+"
}

@test "the hypervisor answers CPUID 0x40000000 with its own name" { passes machine hypervisor-signature; }
@test "the Service VM sees no SVM, and kvm_amd does not start" {
	passes machine no-svm-for-guests
	passes machine kvm-amd-is-refused
}
@test "the Service VM sees every CPU, and each runs code" {
	passes machine all-cpus-are-up
	passes machine every-cpu-runs-code
}
@test "a CPU goes off-line and comes back (INIT, SIPI)" { passes machine cpu-goes-off-and-on; }
@test "vector registers are kept while threads share CPUs" { passes machine vector-registers-are-kept; }
@test "time runs: sleeps, RTC, local timer" {
	passes machine a-sleep-lasts-what-it-says
	passes machine the-rtc-runs
	passes machine the-clock-runs
	passes machine the-local-timer-ticks
}
@test "the Service VM's disk works through MSI-X" {
	passes machine disk-reads-what-is-there
	passes machine msi-x-interrupts-arrive
	passes machine disk-keeps-what-is-written
}
@test "the Service VM's network card works" {
	passes machine network-card-is-there
	passes machine network-answers
}
@test "interrupts of I/O APIC pins arrive" { passes machine io-apic-pins-arrive; }
@test "a physical NMI reaches the Service VM on every CPU, and so does one that it sends itself" {
	passes machine no-nmi-comes-by-itself
	passes machine every-cpu-gets-the-machines-nmi
	passes machine every-cpu-gets-an-nmi-of-our-own
}
@test "the Service VM's first serial port is a 16550 of the hypervisor" {
	passes machine vuart-takes-a-line
	says machine "a word over the virtual 16550"
}
@test "DMAR and IVRS are hidden, the other tables are there" {
	passes machine iommu-tables-are-hidden
	passes machine tables-are-there
}
@test "MSRs outside the allow-list fault, others work" {
	passes machine allowed-msr-reads
	passes machine unknown-msr-faults
	passes machine svm-msr-faults
	passes machine unknown-msr-write-faults
}
@test "a hypercall from user space faults" {
	passes machine vmmcall-from-user-space-faults
	passes machine vmcall-from-user-space-faults
}
@test "no page of the hypervisor can be read or written from the Service VM" {
	local has closed
	has=$(sed -n 's/.*memory: .*, \([0-9]*\) KiB for the hypervisor.*/\1/p' "$LOGS/machine.log.hv")
	closed=$(tr -d '\r' <"$LOGS/machine.log" | sed -n 's/^closed: \([0-9]*\) KiB$/\1/p')
	echo "the hypervisor has $has KiB, $closed KiB are closed to the Service VM"
	[ -n "$has" ]
	[ "$has" = "$closed" ]
	passes machine service-vm-lives-after-the-sweep
}
@test "the Service VM uses the memory it sees" { passes machine memory-is-ours; }
@test "the Service VM's power-off ends the machine" {
	grep -q "machine off" "$LOGS/machine.run" || last_lines machine
	grep -q "machine off" "$LOGS/machine.run"
}
