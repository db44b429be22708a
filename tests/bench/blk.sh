# SPDX-License-Identifier: BSD-3-Clause
# A disk's figures, and acrn-dm's memory beside its guest's: Debian's kernel as User VM with one disk. Run by
# tests/bench/run. The disk's file lies in the memory of the Service VM.
. /payload/guest/lib.sh
. /payload/guest/service/vm.sh
hsm_load || exit 1
dd if=/dev/urandom of=/tmp/disk bs=1M count=16 2>/dev/null
echo '/payload/blk_bench /dev/vda; read -r _' >/tmp/script
user_image /tmp/blk.img /tmp/script /usr/bin/blk_bench

# What is resident besides the guest's own memory, the one large mapping; in KiB, shared pages by their share.
memory_beside_guest() {
	awk '/^[0-9a-f]+-/ {large = 0} /^Size:/ {large = $2 >= 65536} /^Pss:/ && !large {sum += $2} END {print sum}' \
		"/proc/$1/smaps"
}

for engine in threads io_uring; do
	vm_start "$engine" -m 256M -k "$KERNEL" -r /tmp/blk.img -B "$USER_ARGS nokaslr no_timer_check" \
		-s "3,virtio-blk,/tmp/disk,writeback,aio=$engine"
	until_true 600 vm_says "$engine" 'BENCH r1m'
	sed -n "s/.*BENCH r\([0-9a-z]*\) /BENCH $engine-\1 /p" "/tmp/$engine.out"
	[ "$engine" != threads ] || echo "BENCH memory $(memory_beside_guest "$(vm_pid "$engine")")"
	kill -KILL "$(vm_pid "$engine")"
done
