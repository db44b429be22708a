#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# What acrn.efi does when something is wrong: five boot volumes, each bad in its own way, and a good one last. The
# firmware goes from one to the next only because the stub gives the machine back.
load helper

# volume NAME: from the files in the folder NAME, with acrn.efi where the firmware looks for it
volume() {
	local folder=$BATS_FILE_TMPDIR/$1 pairs=() f
	while read -r f; do
		pairs+=("$f:${f#"$folder/"}")
	done < <(find "$folder" -type f)
	"$DEV/mkdisk" esp "$folder.img" "$BUILD/efi/acrn.efi:${2:-EFI/BOOT/BOOTX64.EFI}" "${pairs[@]}"
	index=$((index + 1))
	drives+=(-drive "if=none,id=d$index,format=raw,file=$folder.img"
		-device "virtio-blk-pci,drive=d$index,bootindex=$index")
}

conf() { # FOLDER: acrn.conf of that volume, from stdin
	mkdir -p "$BATS_FILE_TMPDIR/$1/EFI/BOOT"
	cat >"$BATS_FILE_TMPDIR/$1/EFI/BOOT/acrn.conf"
}

setup_file() {
	local kernel index=0 drives=()
	ACRN_CACHE=${ACRN_CACHE:-$HOME/.cache/acrn}
	kernel=$(ls "$ACRN_CACHE"/kernel/boot/vmlinuz-*)
	"$DEV/mkimages"

	conf nokernel <<<$'[service-vm]\nkernel = missing-vmlinuz\n'
	volume nokernel
	conf badline <<<$'[hypervisor]\nloglevel = info\ncolour = blue\n[service-vm]\nkernel = vmlinuz\n'
	volume badline
	mkdir -p "$BATS_FILE_TMPDIR/noconf/EFI/BOOT"
	echo nothing >"$BATS_FILE_TMPDIR/noconf/readme.txt"
	volume noconf
	conf toobig <<<$'[service-vm]\nkernel = vmlinuz\ninitrd = huge.img\n'
	cp "$kernel" "$BATS_FILE_TMPDIR/toobig/EFI/BOOT/vmlinuz"
	truncate -s 400M "$BATS_FILE_TMPDIR/toobig/EFI/BOOT/huge.img"
	volume toobig

	# the last one has nothing at the usual place: the firmware's shell starts it, with a path as load option
	mkdir -p "$BATS_FILE_TMPDIR/good/other"
	cp "$kernel" "$BATS_FILE_TMPDIR/good/other/vmlinuz"
	cp "$BUILD/images/service.img" "$BATS_FILE_TMPDIR/good/other/initrd.img"
	cat >"$BATS_FILE_TMPDIR/good/other/service.conf" <<-'TXT'
		# reached by load options
		[hypervisor]
		console = serial 0x3f8 115200, screen
		[service-vm]
		kernel  = vmlinuz
		initrd  = initrd.img
		cmdline = console=ttyS1,115200 panic=-1 quiet acrn.from=load-options
	TXT
	{
		echo "@echo -off"
		for i in 0 1 2 3 4 5 6; do
			printf 'if exist fs%d:\\acrn.efi then\n fs%d:\n \\acrn.efi other\\service.conf\nendif\n' $i $i
		done
	} >"$BATS_FILE_TMPDIR/good/startup.nsh"
	volume good acrn.efi
	truncate -s 1M "$BATS_FILE_TMPDIR/none.img"
	# a picture before the kernel takes the screen over
	monitor_when efi_stub 'hypervisor ready' "screendump $BATS_FILE_TMPDIR/screen.ppm"
	boot efi_stub --boot "$BATS_FILE_TMPDIR/none.img" --mem 384M --smp 2 --timeout 300 \
		--expect "Service VM: 6\\.1\\." -- "${drives[@]}" -device VGA "${MONITOR[@]}"
	kill "$MONITOR_PID" 2>/dev/null || true
	gcc -Wall -Wextra -Werror -I "$TOP/hypervisor" -o "$BATS_FILE_TMPDIR/screen_text" "$TOP/tests/screen_text.c" \
		"$TOP/hypervisor/hw/font.c"
	"$BATS_FILE_TMPDIR/screen_text" "$BATS_FILE_TMPDIR/screen.ppm" | sed 's/ *$//' >"$LOGS/efi_stub.screen" || true
	rm -f "$BATS_FILE_TMPDIR"/*.img
}

@test "a missing file is a sentence that names file and line" {
	says efi_stub 'acrn\.conf:2:.*kernel missing-vmlinuz: not found'
}
@test "a bad line is a sentence that names file and line" { says efi_stub 'acrn\.conf:3:'; }
@test "a missing acrn.conf is a sentence" { says efi_stub 'ACRN cannot start: .*acrn\.conf.*not found'; }
@test "too little memory is a sentence" { says efi_stub 'huge\.img: too little memory'; }
@test "the stub waits, and returns to the firmware, which tries the next entry" {
	says efi_stub 'next boot entry'
	[ "$(grep -ac 'ACRN cannot start' "$LOGS/efi_stub.log.hv")" -ge 4 ]
}
@test "another acrn.conf is given as load option, and its Service VM boots" { says efi_stub 'Service VM: 6\.1\.'; }
@test "the hypervisor's log is on the screen too, letter by letter" {
	local line
	cat "$LOGS/efi_stub.screen"
	line=$(tr -d '\r' <"$LOGS/efi_stub.log.hv" | grep -a 'ACRN hypervisor [0-9.~a-z]*, started by')
	grep -qxF -- "$line" "$LOGS/efi_stub.screen"
	grep -q 'hypervisor ready on 2 CPUs$' "$LOGS/efi_stub.screen"
}
