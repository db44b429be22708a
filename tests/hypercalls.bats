#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# Hypercalls from kernel mode, each with what it must refuse, by a tiny Service VM (tests/guest/tiny/caller.c) on two
# CPUs; all of it by VMMCALL and again by VMCALL.
load helper

setup_file() {
	"$DEV/mkimages"
	boot hypercalls --grub --bare --kernel "$BUILD/guest/caller" --smp 2 --mem 512M --timeout 120
}

both() {
	passes hypercalls "vmmcall-$1"
	passes hypercalls "vmcall-$1"
}

@test "the call's number must be one, with its tag" {
	both api-version
	both unknown-ids-are-refused
}
@test "VM ids that are none, and the Service VM's own, are refused by every call" { both vm-ids-are-checked; }
@test "advisory 1.4: the callback vector is checked" { both callback-vectors-are-checked; }
@test "advisory 1.6: calls in a wrong state, or on a vCPU that was never created, are refused" { both states-are-checked; }
@test "advisory 1.6.1, CVE-2020-15687: wild arguments to assign a device are refused" { both devices-are-refused; }
@test "creations, registers, interrupts and memory are checked, then done" {
	both creations-are-checked
	both registers-are-checked
	both interrupts-are-checked
	both memory-is-checked
	both memory-comes-and-goes
}
@test "memory is out of a running guest's reach before the call that takes it returns" {
	both memory-that-was-taken-is-out-of-reach-at-once
}
@test "no page of the hypervisor's, no device and no hole is taken for a parameter, a request page or a ring" {
	both the-hypervisors-memory-is-no-parameter
	both request-page-is-checked
	both rings-are-checked
}
@test "a doorbell rings without a wait; when its ring is full it is a request" {
	both doorbells-are-checked
	both doorbell-rings-without-a-wait-and-a-full-ring-is-a-request
}
@test "a triple fault is an event, and a request to reset" { both triple-fault-is-an-event-and-a-request; }
@test "a state that the CPU refuses stops the VM, and the log names what is wrong with it" {
	both a-state-that-no-cpu-enters-stops-the-vm
	says hypercalls "refuses to enter the guest: EFER.LME and CR0.PG without CR4.PAE"
}
@test "a VM ends, and its id with it" {
	both vm-ends
	both vm-goes
}
@test "a real-time VM gets a CPU that was given up, alone" { passes hypercalls vmmcall-a-cpu-of-its-own; }
