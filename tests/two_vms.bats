#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# Two User VMs at work at once, beside a Service VM at work.
load helper

setup_file() {
	boot two_vms --smp 2 --mem 2G --timeout 900 --off --run "$TOP/tests/guest/service/two_vms.sh"
}

@test "two User VMs of two vCPUs each run at once to a clean end" {
	passes two_vms vm1-cpus
	passes two_vms vm2-cpus
	passes two_vms vm1-ends-with-0
	passes two_vms vm2-ends-with-0
}
@test "both keep their disks right under load" {
	passes two_vms vm1-disk-keeps-what-is-written
	passes two_vms vm2-disk-keeps-what-is-written
	passes two_vms vm1-unmount
	passes two_vms vm2-unmount
}
@test "both move their data over the network unchanged" {
	passes two_vms vm1-network-both-ways
	passes two_vms vm2-network-both-ways
	passes two_vms vm1-network-answers
	passes two_vms vm2-network-answers
	passes two_vms vm1-data-arrived-unchanged
	passes two_vms vm2-data-arrived-unchanged
}
@test "the Service VM computes right beside them, and its log is clean" {
	passes two_vms service-vm-computed-right
	passes two_vms kernel-log-is-clean
}
