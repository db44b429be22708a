#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# Fifty User VMs whose acrn-dm is killed by SIGKILL: nothing of them stays.
load helper

setup_file() {
	boot kill_cycles --smp 2 --mem 2G --timeout 900 --off --run "$TOP/tests/guest/service/kill_cycles.sh"
}

@test "fifty times create, boot, kill -9 acrn-dm, create again" { passes kill_cycles all-cycles-ran; }
@test "no page stays pinned" { passes kill_cycles no-pinned-page-stays; }
@test "no memory stays in use" { passes kill_cycles no-memory-stays; }
@test "a User VM runs afterwards, and the module unloads" {
	passes kill_cycles a-good-guest-runs-afterwards
	passes kill_cycles no-acrn-dm-stays
	passes kill_cycles module-unloads
	passes kill_cycles kernel-log-is-clean
}
