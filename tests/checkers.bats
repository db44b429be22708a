#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# The checkers can fail: each is run on a small bad tree. And they pass a small good one.
load helper

setup() {
	tree=$BATS_TEST_TMPDIR/tree
	mkdir -p "$tree/hypervisor/mm" "$tree/hypervisor/hw" "$tree/hypervisor/vcpu/svm" "$tree/hypervisor/vm"
}

# file PATH: a source with the usual beginning, its text from stdin
file() {
	mkdir -p "$(dirname "$tree/$1")"
	{
		echo '/* SPDX-License-Identifier: BSD-3-Clause */'
		echo '/* A file of the test. */'
		cat
	} >"$tree/$1"
}

# refuses CHECKER WORDS: it fails, and says so
refuses() {
	run "$DEV/$1" "$tree"
	echo "$output"
	[ "$status" -ne 0 ] && [[ $output == *"$2"* ]]
}

@test "every checker accepts a good tree" {
	printf '#pragma once\nint page_count(void);\n' | file hypervisor/mm/page.h
	printf '#include "mm/page.h"\n\nint page_count(void)\n{\n\treturn 1;\n}\n' | file hypervisor/mm/page.c
	"$DEV/check-layers" "$tree"
	"$DEV/check-headers" "$tree"
	"$DEV/check-style" "$tree"
	"$DEV/measure" "$tree"
}

@test "check-layers refuses an include to the right" {
	echo '#include "vm/vm.h"' | file hypervisor/hw/lapic.c
	refuses check-layers "to its right"
}

@test "check-layers refuses another room's private folder" {
	echo '#include "vcpu/svm/vmcb.h"' | file hypervisor/vm/run.c
	refuses check-layers "private"
}

@test "check-layers refuses an include that is no path from the root" {
	echo '#include "pgtable.h"' | file hypervisor/mm/pgtable.c
	refuses check-layers "not a path"
}

@test "check-layers refuses asm in a pure room" {
	printf 'void f(void)\n{\n\tasm volatile ("hlt");\n}\n' | file hypervisor/mm/page.c
	refuses check-layers "asm in a pure room"
}

@test "check-layers refuses a privileged include in a pure room" {
	echo '#include "hw/lapic.h"' | file hypervisor/config/scenario.c
	refuses check-layers "not pure"
}

@test "check-layers refuses a file of one vendor's that the other lacks" {
	printf 'int svm_more(void);\n' | file hypervisor/vcpu/svm/svm_more.c
	refuses check-layers "no vmx_more.c"
}

@test "check-headers refuses a header that needs another one before it" {
	printf '#pragma once\nuint32_t page_count(void);\n' | file hypervisor/mm/page.h
	refuses check-headers "does not compile alone"
}

@test "check-headers refuses a header without #pragma once" {
	echo 'int page_count(void);' | file hypervisor/mm/page.h
	refuses check-headers "pragma once"
}

@test "check-headers wants a file's own header first" {
	printf '#pragma once\n' | file hypervisor/mm/page.h
	printf '#pragma once\n' | file hypervisor/mm/pool.h
	printf '#include "mm/pool.h"\n#include "mm/page.h"\n' | file hypervisor/mm/page.c
	refuses check-headers "own header"
}

@test "check-style refuses a file without SPDX line" {
	printf '/* Only words here. */\n' >"$tree/hypervisor/mm/page.c"
	refuses check-style "no SPDX"
}

@test "check-style refuses a file without first comment" {
	printf '/* SPDX-License-Identifier: BSD-3-Clause */\n\nint x;\n' >"$tree/hypervisor/mm/page.c"
	refuses check-style "first comment"
}

@test "check-style refuses white space at the end of a line" {
	printf 'int x; \n' | file hypervisor/mm/page.c
	refuses check-style "white space"
}

@test "check-style refuses indentation with spaces" {
	printf 'void f(void)\n{\n    g();\n}\n' | file hypervisor/mm/page.c
	refuses check-style "indented with spaces"
}

@test "check-style refuses a line of 121 columns" {
	printf '/* %0116d */\n' 0 | file hypervisor/mm/page.c
	refuses check-style "wider than"
}

@test "check-style refuses a mark of something unfinished" {
	printf '/* TODO: the rest */\n' | file hypervisor/mm/page.c
	refuses check-style "unfinished"
}

@test "check-style refuses a preprocessor condition outside compat.h" {
	printf '#ifdef UNIT_TEST\n#endif\n' | file hypervisor/mm/page.c
	refuses check-style "preprocessor condition"
}

@test "check-style refuses a typedef of a struct" {
	printf 'typedef struct page page_t;\n' | file hypervisor/mm/page.h
	refuses check-style "typedef"
}

@test "check-style refuses a folder called utils" {
	printf 'int x;\n' | file hypervisor/utils/page.c
	refuses check-style "says nothing"
}

@test "measure refuses a file of 601 lines that does not say why" {
	for _ in $(seq 599); do echo 'int f(void);'; done | file hypervisor/mm/page.c
	refuses measure "601 lines"
}

@test "measure refuses a function of 61 lines" {
	{ printf 'void f(void)\n{\n'; for _ in $(seq 61); do printf '\tg();\n'; done; echo '}'; } | file hypervisor/mm/page.c
	refuses measure "f() has 61 lines"
}

@test "measure refuses a nesting of five" {
	printf 'void f(void)\n{\n\tif (a) {\n\tif (a) {\n\tif (a) {\n\tif (a) {\n\tif (a) {\n\tg();\n\t}}}}}\n}\n' |
		file hypervisor/mm/page.c
	refuses measure "nests 5 deep"
}

@test "measure refuses six parameters" {
	printf 'void f(int a, int b, int c, int d, int e, int f)\n{\n}\n' | file hypervisor/mm/page.c
	refuses measure "6 parameters"
}

@test "abi-dump --check refuses another golden table" {
	"$DEV/abi-dump" >"$BATS_TEST_TMPDIR/table"
	"$DEV/abi-dump" --check "$BATS_TEST_TMPDIR/table"
	sed -i '1s/$/0/' "$BATS_TEST_TMPDIR/table"
	run "$DEV/abi-dump" --check "$BATS_TEST_TMPDIR/table"
	[ "$status" -ne 0 ]
}

@test "emu-run tells a failed test, a dead machine and a time-out apart" {
	echo 'exit 3' >"$BATS_TEST_TMPDIR/fails"
	run "$DEV/emu-run" --direct --bare --run "$BATS_TEST_TMPDIR/fails" --log "$LOGS/emu-fails.log"
	[ "$status" -eq 1 ]
	[[ $output == *"TEST-EXIT 3"* ]]
	echo 'poweroff -f' >"$BATS_TEST_TMPDIR/ends"
	run "$DEV/emu-run" --direct --bare --run "$BATS_TEST_TMPDIR/ends" --log "$LOGS/emu-ends.log"
	[ "$status" -eq 125 ]
	run "$DEV/emu-run" --direct --bare --run "$BATS_TEST_TMPDIR/ends" --log "$LOGS/emu-late.log" --timeout 2
	[ "$status" -eq 124 ]
}

# fake_unit NAME: a program in the place of a unit test, its text from stdin
fake_unit() {
	mkdir -p "$tree/unit"
	cat >"$tree/unit/$1"
	chmod +x "$tree/unit/$1"
}

@test "a failed unit test is named with its assertion, at the very end" {
	fake_unit dm_fake <<'END'
#!/bin/sh
cat <<OUT
[==========] Running 2 test(s).
[ RUN      ] a_bad_one
[  ERROR   ] --- 0x1 != 0x2
[   LINE   ] --- tests/unit/dm/test_fake.c:17: error: Failure!
[  FAILED  ] a_bad_one
[ RUN      ] a_good_one
[       OK ] a_good_one
[==========] 2 test(s) run.
[  PASSED  ] 1 test(s).
[  FAILED  ] 1 test(s), listed below:
[  FAILED  ] a_bad_one

 1 FAILED TEST(S)
OUT
exit 1
END
	fake_unit dm_crash <<'END'
#!/bin/sh
echo "[ RUN      ] a_crash"
echo "==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x1"
exit 1
END
	fake_unit dm_hang <<'END'
#!/bin/sh
echo "[ RUN      ] a_wait"
exec sleep 60
END
	mkdir -p "$tree/scripts" && cp -r "$DEV" "$tree/scripts/dev"
	printf '.PHONY: unit\nunit:\n\t@UNIT_TIMEOUT=1 %s %s dm_fake dm_crash dm_hang\n' \
		"$TOP/tests/unit/run-tests" "$tree/unit" >"$tree/Makefile"
	ACRN_BUILD=$tree/build run "$tree/scripts/dev/run-checks" unit
	echo "$output"
	[ "$status" -ne 0 ]
	[ "${lines[-1]}" = "1 passed, 3 failed, 0 skipped" ]
	[[ ${lines[-2]} == total*"failed: unit" ]]
	[ "${lines[-5]}" = "failed: dm_fake a_bad_one: tests/unit/dm/test_fake.c:17: 0x1 != 0x2" ]
	[[ ${lines[-4]} == "failed: dm_crash a_crash: "*heap-use-after-free* ]]
	[ "${lines[-3]}" = "failed: dm_hang a_wait: did not end in time" ]
}

@test "what failed is told in fifteen lines: bats' reasons, or the end of a log" {
	{
		printf 'ok 1 good\nnot ok 2 the guest boots\n# (in test file tests/x.bats, line 3)\n'
		printf '# reason %s\n' 1 2 3 4 5 6
		echo 'ok 3 good too'
	} >"$tree/check-boot.log"
	seq 30 >"$tree/check-style.log"
	run "$DEV/failures" "$tree/check-boot.log" "$tree/check-style.log"
	[ "${lines[0]}" = "not ok 2 the guest boots" ]
	[ "${lines[1]}" = "    # reason 1" ] && [ "${lines[4]}" = "    # reason 4" ]
	[ "${lines[5]}" = "check-style.log: 28" ] && [ "${lines[7]}" = "check-style.log: 30" ]
	[ "${#lines[@]}" -eq 8 ]
	yes "not ok 7 bad" | head -n 100 >"$tree/check-boot.log"
	run "$DEV/failures" "$tree/check-boot.log"
	[ "${#lines[@]}" -eq 16 ] && [ "${lines[15]}" = "    and 85 lines more" ]
}

@test "each mistake of others, as tests/covers/advisories lists them, has a test that is there" {
	"$DEV/check-covers" "$TOP/tests/covers/advisories"
	printf 'a: no_such_test\n' >"$tree/table"
	run "$DEV/check-covers" "$tree/table"
	[ "$status" -eq 1 ] && [[ $output == *"there is no such test: no_such_test"* ]]
	printf 'b: stale_handle_is_harmless\n' >"$tree/table"
	printf 'b\nc\n' >"$tree/names"
	run "$DEV/check-covers" "$tree/table" "$tree/names"
	[ "$status" -eq 1 ] && [[ $output == *"no test is named for c" ]]
}
