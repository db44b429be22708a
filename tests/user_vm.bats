#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# The whole chain in one boot: OVMF, hypervisor, Service VM, module, acrn-dm, User VMs one after another.
load helper

setup_file() {
	boot user_vm --smp 2 --mem 2G --timeout 900 --off --run "$TOP/tests/guest/service/user_vm.sh"
}

@test "the module loads and unloads on Debian's kernel" {
	passes user_vm module-loads
	passes user_vm module-unloads
	passes user_vm kernel-log-is-clean
}
@test "acrn-dm starts a User VM that runs Debian's kernel to its shell" { passes user_vm user-vm-came-to-its-shell; }
@test "the User VM sees two CPUs, its memory, and the hypervisor's name" {
	passes user_vm user-cpus
	passes user_vm user-every-cpu-runs-code
	passes user_vm user-memory
	passes user_vm user-hypervisor-signature
}
@test "virtio-blk: reads, writes, flushes, a file system" {
	passes user_vm user-disk-size
	passes user_vm user-disk-reads
	passes user_vm user-disk-keeps
	passes user_vm user-filesystem
	passes user_vm disk-file-holds-what-was-written
}
@test "virtio-blk: a read-only disk refuses writes" {
	passes user_vm user-read-only-disk-says-so
	passes user_vm user-read-only-disk-refuses
}
@test "virtio-net: the User VM talks to the Service VM over a tap" {
	passes user_vm user-network-card
	passes user_vm user-network-answers
	passes user_vm user-network-carries
	passes user_vm network-word-arrived
}
@test "virtio's notifications go past the request slots, the guest runs on" {
	passes user_vm notifications-do-not-stop-the-guest
	passes user_vm no-notification-was-a-request
}
@test "virtio-console carries a word" {
	passes user_vm user-console
	passes user_vm console-word-arrived
}
@test "virtio-rnd gives entropy" { passes user_vm user-entropy; }
@test "com2 on a file carries a word" {
	passes user_vm user-second-serial-port
	passes user_vm com2-word-arrived
}
@test "the User VM's clocks run" {
	passes user_vm user-a-sleep-lasts-what-it-says
	passes user_vm user-the-rtc-runs
	passes user_vm user-the-rtc-has-the-date
}
@test "the User VM's forbidden MSRs and hypercalls fault" {
	passes user_vm user-unknown-msr-faults
	passes user_vm user-no-svm
	passes user_vm user-hypercall-from-user-space-faults
}
@test "acrn-dm -m -k -r -B NAME works with no other option" {
	passes user_vm bare-guest-runs
}
@test "guest power-off ends acrn-dm with 0" { passes user_vm power-off-ends-with-0; }
@test "guest reboot restarts it" {
	passes user_vm reboot-restarts
	passes user_vm reboot-then-off-ends-with-0
}
@test "SIGTERM presses the power button" {
	passes user_vm sigterm-presses-the-power-button
	passes user_vm sigterm-ends-with-0
}
@test "--cmd_monitor: blkrescan reaches the guest, destroy ends the VM, nonsense is refused" {
	passes user_vm monitor-refuses-what-it-does-not-know
	passes user_vm monitor-takes-blkrescan
	passes user_vm monitor-refuses-a-second-disk
	passes user_vm blkrescan-reaches-the-guest
	passes user_vm monitor-takes-destroy
	passes user_vm destroy-ends-with-0
}
@test "a VM is paused and goes on, disk and all, or is reset, or ends" {
	passes user_vm vm-is-paused
	passes user_vm status-says-paused
	passes user_vm paused-guest-does-nothing
	passes user_vm vm-is-resumed
	passes user_vm resumed-guest-goes-on
	passes user_vm five-pauses-harm-nothing
	passes user_vm paused-vm-is-reset
	passes user_vm reset-guest-begins-again
	passes user_vm paused-vm-ends-with-0
}
@test "virtio-balloon: free pages go back to the Service VM, come when touched; it inflates and deflates" {
	passes user_vm free-pages-go-back
	passes user_vm what-went-back-is-not-pinned
	passes user_vm guest-uses-its-memory-again
	passes user_vm memory-that-is-touched-comes-again
	passes user_vm balloon-takes-a-size
	passes user_vm balloon-inflates
	passes user_vm guest-gave-up-what-was-asked
	passes user_vm balloon-takes-nothing
	passes user_vm balloon-deflates
	passes user_vm lend-guest-ends-with-0
	passes user_vm its-memory-was-sound
}
@test "SIGINT powers off" { passes user_vm sigint-ends-with-0; }
@test "--debugexit gives the guest's status" { passes user_vm debugexit-gives-its-status; }
@test "-h and -v answer" {
	passes user_vm help-lists-options
	passes user_vm version-is-one-line
}
@test "one CPU more than there are is refused with a sentence" {
	passes user_vm too-many-cpus-are-refused
	passes user_vm too-many-cpus-get-a-sentence
}
@test "what is not built yet is refused with one line" {
	passes user_vm refuses-rtvm
	passes user_vm refuses-rtvmlapicptcpuaffinity
	passes user_vm refuses-sxhci
}
@test "--hugetlb: memory of pages set aside, and a sentence when there are too few" {
	passes user_vm too-few-huge-pages-are-refused
	passes user_vm too-few-huge-pages-get-a-sentence
	passes user_vm huge-pages-are-used
	passes user_vm huge-pages-come-back
}
@test "bad values are refused" {
	passes user_vm refuses-64M
	passes user_vm refuses-a-missing-kernel
}
@test "a real-time VM has its CPU alone: only one given up, and nobody else runs there" {
	passes user_vm a-cpu-in-use-is-nobodys-alone
	passes user_vm a-cpu-in-use-gets-a-sentence
	passes user_vm service-vm-gives-up-a-cpu
	passes user_vm giving-it-up-twice-does-no-harm
	says user_vm 'CPU 1 given up by the Service VM'
	passes user_vm rt-guest-runs
	passes user_vm its-cpu-takes-no-second-one
	passes user_vm its-cpu-takes-no-guest
	passes user_vm its-cpu-gets-a-sentence
	passes user_vm a-vm-beside-it-takes-the-other-cpu
	passes user_vm rt-guest-is-not-destroyed-by-a-word
	passes user_vm rt-guest-ends-with-0
	passes user_vm its-cpu-is-free-after-it
}
