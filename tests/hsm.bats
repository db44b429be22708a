#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# The kernel module alone: Debian's kernel in QEMU, no hypervisor, the module's debug build that pretends one.
# Each line of build/logs/hsm.log is a check of tests/unit/hsm; here they are grouped.
load helper

setup_file() {
	mkdir -p "$LOGS"
	rm -f "$LOGS/hsm.log" # a build that fails must not leave us an old one
	make -s --no-print-directory -C "$TOP/tests/unit/hsm" check >"$LOGS/hsm.run" 2>&1 3>&- || true
}

# checks TEXT...: for each text there is a check whose name holds it, and all of these passed.
checks() {
	local text lines
	for text in "$@"; do
		lines=$(tr -d '\r' <"$LOGS/hsm.log" | grep -aE '^(PASS|FAIL) ' | grep -F -- "$text") || {
			echo "no check '$text'"
			tail -n 5 "$LOGS/hsm.run"
			return 1
		}
		echo "$lines"
		if grep -q '^FAIL' <<<"$lines"; then
			tr -d '\r' <"$LOGS/hsm.log" | grep -a '^#'
			return 1
		fi
	done
}

@test "module: refuses to load without ACRN; loads and unloads twenty times, its interrupt comes and goes" {
	checks "load and unload twenty times"
}
@test "module: every check passed, and the kernel has nothing to complain about" {
	says hsm "^[0-9]+ passed, 0 failed"
	says hsm "^TEST-EXIT 0"
}
@test "module: every ioctl says what the specification says: before CREATE_VM, unknown, EFAULT on every pointer" {
	checks "before CREATE_VM" "ENOTTY, with and without" "EFAULT on every pointer" "reserved word must be 0"
}
@test "module: CREATE_VM that fails leaves no VM, a second one is EEXIST" {
	checks "CREATE_VM refuses bad" "whatever the hypervisor says to CREATE_VM" "EEXIST and the first" "cannot be written back"
}
@test "module: memory of any page size, clipped, batched, rolled back; the limit holds" {
	checks "4-KiB pages" "transparent huge" "2-MiB pages" "inside a 2-MiB" "127 operations" "EEXIST; beside" \
		"fails half-way" "RLIMIT_MEMLOCK" "type FETCH"
}
@test "module: requests reach the DM by ATTACH and NOTIFY, by IOREQ_NEXT, by poll; PCI accesses are folded" {
	checks "as the original's DM" "IOREQ_NEXT answers" "poll()" "0xCF8 and 0xCFC" "one hypercall"
}
@test "module: ioeventfd, asyncio and VM events ring; irqfd injects" {
	checks "ioeventfd: a guest's write" "asyncio: the cookie" "VM events" "irqfd: each write" "from guest to guest"
}
@test "module: SIGKILL of the DM, also while it waits, pauses, destroys and unpins" {
	checks "SIGKILL of the DM" "closing the file"
}
@test "module: what cannot be destroyed stays pinned, is listed, and goes when it can" { checks "keeps its pages"; }
@test "module: ten seconds of all calls at once harm nothing" { checks "every call at once"; }
@test "module: remove_cpu" { checks "remove_cpu"; }
@test "CVE-2020-15687: pass-through needs CAP_SYS_ADMIN" { checks "CVE-2020-15687" "local APIC pass-through"; }
@test "PCI devices go to a VM and come back, reset" { checks "pass-through:"; }
@test "CVE-2022-1651: ioctls that fail leak nothing" { checks "CVE-2022-1651"; }
@test "CVE-2024-38610: only writable ordinary pages of the caller are pinned" { checks "CVE-2024-38610"; }
@test "CVE-2025-21950: no kernel memory comes back from the PM call" { checks "CVE-2025-21950"; }
@test "found by reading: the PM word names no other VM" { checks "PM command word"; }
@test "found by reading: the request page is believed once" { checks "scribbles over its request page"; }
@test "found by reading: a client destroyed under its waiters" { checks "client destroyed under" "VM destroyed under"; }
@test "found by reading: asyncio cookies are no pointers, ring geometry is not believed" {
	checks "the cookie is no pointer" "are not believed"
}
