# SPDX-License-Identifier: BSD-3-Clause
# What update-acrn and acrn both know: the settings, the EFI system partition, the firmware's boot entries. Sourced
# with $me (the name in messages) and $root (empty, or the folder that stands for /) set. Nothing here changes
# anything but files that the caller names.

EFI_FOLDER=EFI/acrn
# Where GRUB tells acrn.elf to keep its log on a BIOS machine, and how that begins: hypervisor/lib/kept_log.h
LOG_ADDRESS=0x10000000 LOG_END=0x10004000 LOG_MAGIC=4e524341
ESP_TYPE=c12a7328-f81f-11d2-ba4b-00a0c93ec93b

# not echo: it would take the backslashes of paths for its own
say() { printf '%s: %s\n' "$me" "$*"; }
warn() { printf '%s: %s\n' "$me" "$*" >&2; }

read_settings() {
	ACRN_KERNEL=newest ACRN_CMDLINE= ACRN_CONSOLE="serial 0x3f8 115200, screen" ACRN_LOGLEVEL=info
	ACRN_DEFAULT=no ACRN_WATCHDOG=300 ACRN_ESP= ACRN_MENUS=yes ACRN_SIGN_KEY= ACRN_SIGN_CERT= ACRN_SHIM=auto
	[ ! -r "$root/etc/default/acrn" ] || . "$root/etc/default/acrn"
	for name in ACRN_DEFAULT ACRN_MENUS; do
		eval "value=\$$name"
		case $value in
		yes | no) ;;
		*) warn "/etc/default/acrn: $name is \"$value\", not yes or no"; return 1 ;;
		esac
	done
	case $ACRN_WATCHDOG in
	'' | *[!0-9]*) warn "/etc/default/acrn: ACRN_WATCHDOG is \"$ACRN_WATCHDOG\", not a number of seconds"; return 1 ;;
	esac
	[ "$ACRN_WATCHDOG" -le 3600 ] || { warn "/etc/default/acrn: ACRN_WATCHDOG=$ACRN_WATCHDOG, 3600 is the limit"; return 1; }
	case ${ACRN_SIGN_KEY:+k}${ACRN_SIGN_CERT:+c} in
	k | c) warn "/etc/default/acrn: ACRN_SIGN_KEY and ACRN_SIGN_CERT go together"; return 1 ;;
	esac
}

# Secure Boot is on: the last byte of the variable.
is_secure() {
	variable=$root/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c
	[ -e "$variable" ] && [ "$(od -An -tu1 -j4 -N1 "$variable" | tr -d ' ')" = 1 ]
}

# Sets shim to the one that starts acrn.efi, empty if the firmware does that itself; program to what the entry names.
find_shim() {
	shim= program=acrn.efi
	case $ACRN_SHIM in
	no) return 0 ;;
	auto)
		[ -n "$ACRN_SIGN_KEY" ] && is_secure || return 0
		shim=$root/usr/lib/shim/shimx64.efi.signed
		[ -e "$shim" ] || { shim=; return 0; }
		;;
	*)
		shim=$root$ACRN_SHIM
		[ -e "$shim" ] || { warn "/etc/default/acrn: ACRN_SHIM=$ACRN_SHIM, which is not there"; return 1; }
		;;
	esac
	program=shimx64.efi
}

is_container() { systemd-detect-virt --container --quiet 2>/dev/null; }
is_chroot() { [ -z "$root" ] && ischroot 2>/dev/null; }
is_efi() { [ -d "$root/sys/firmware/efi" ]; }

# The device mounted at a folder of our root; an automount there is no FAT volume.
mount_source() { findmnt -n -r -v -t vfat -o SOURCE --mountpoint "$root$1" 2>/dev/null | tail -n 1; }

is_esp() {
	source=$(mount_source "$1")
	[ -n "$source" ] && [ "$(lsblk -n -r -d -o PARTTYPE "$source" 2>/dev/null)" = $ESP_TYPE ]
}

# Sets esp to the mount point of the EFI system partition, or says why there is none.
find_esp() {
	esp=
	if [ -n "$ACRN_ESP" ]; then
		[ -n "$(mount_source "$ACRN_ESP")" ] || {
			warn "/etc/default/acrn: no FAT volume is mounted at ACRN_ESP=$ACRN_ESP"
			return 1
		}
		esp=$ACRN_ESP
		return 0
	fi
	for dir in "$([ -n "$root" ] || bootctl --print-esp-path 2>/dev/null)" /boot/efi /efi /boot; do
		if [ -n "$dir" ] && is_esp "$dir"; then
			esp=$dir
			return 0
		fi
	done
	device=$(lsblk -n -r -p -o NAME,PARTTYPE 2>/dev/null | sed -n "s/ $ESP_TYPE\$//p" | head -n 1)
	if [ -n "$device" ]; then
		warn "the EFI system partition $device is not mounted; mount it at /boot/efi and run update-acrn"
	else
		warn "no EFI system partition found; set ACRN_ESP in /etc/default/acrn if there is one"
	fi
	return 1
}

# Sets disk, part and partuuid to where esp lies.
find_partition() {
	source=$(mount_source "$esp")
	disk=$(lsblk -n -r -d -p -o PKNAME "$source" 2>/dev/null)
	partuuid=$(lsblk -n -r -d -o PARTUUID "$source" 2>/dev/null | tr A-F a-f)
	part=$(cat "$root/sys/class/block/${source##*/}/partition" 2>/dev/null) || part=
	[ -n "$disk" ] && [ -n "$part" ] && [ -n "$partuuid" ] && return 0
	warn "$source at $esp is no partition of a disk: the firmware's boot entry has to be made by hand"
	return 1
}

# Numbers of the firmware's boot entries for a program on our partition: entries_of '\EFI\acrn\acrn.efi'
entries_of() {
	efibootmgr -v 2>/dev/null | partuuid=$partuuid path=$1 awk '
		BEGIN { guid = "," ENVIRON["partuuid"] ","; path = tolower(ENVIRON["path"]) }
		# what acrn.efi makes and takes away by itself (efi/last_log.h)
		/ ACRN \(log of the last run\)/ { next }
		/^Boot[0-9A-Fa-f][0-9A-Fa-f][0-9A-Fa-f][0-9A-Fa-f]/ {
			line = tolower($0)
			at = index(line, path)
			# the path ends here: "acrn.efi.old" is another program
			if (at && index(line, guid) && substr(line, at + length(path), 1) !~ /[a-z0-9._\\-]/)
				print substr($0, 5, 4)
		}'
}

boot_order() { efibootmgr 2>/dev/null | sed -n 's/^BootOrder: *//p'; }

# efi_add IN OUT SECTION=FILE...: a copy of acrn.efi with files in sections of their own (.conf, .linux, .initrd), behind
# the others in memory. Says why if it cannot.
efi_add() {
	in=$1 out=$2
	shift 2
	end=$(objdump -h "$in" 2>/dev/null | while read -r number _ size vma _; do
		case $number in
		*[!0-9]* | '') ;;
		*) echo $((0x$vma + 0x$size)) ;;
		esac
	done | sort -n | tail -n 1)
	[ -n "$end" ] || { warn "$in is no EFI program, or there is no objdump; install binutils"; return 1; }
	cp "$in" "$out"
	for pair in "$@"; do
		end=$(((end + 4095) / 4096 * 4096))
		objcopy --add-section "$pair" --change-section-vma "${pair%%=*}=$end" "$out" || return 1
		end=$((end + $(stat -L -c %s "${pair#*=}")))
	done
	# objcopy writes the time, and a sum over it: what is made of the same parts shall be the same
	pe=$(od -An -tu4 -j60 -N4 "$out")
	printf '\0\0\0\0' | dd of="$out" bs=1 seek=$((pe + 8)) conv=notrunc status=none || return 1
	printf '\0\0\0\0' | dd of="$out" bs=1 seek=$((pe + 88)) conv=notrunc status=none
}

# efi_sign FILE: in place, with the key of the settings.
efi_sign() {
	command -v sbsign >/dev/null || { warn "ACRN_SIGN_KEY is set, but there is no sbsign; install sbsigntool"; return 1; }
	sbsign --key "$root$ACRN_SIGN_KEY" --cert "$root$ACRN_SIGN_CERT" --output "$1.signed" "$1" >"$1.log" 2>&1 ||
		{ warn "$1 cannot be signed: $(tail -n 1 "$1.log")"; rm -f "$1.log"; return 1; }
	rm -f "$1.log"
	mv "$1.signed" "$1"
}
