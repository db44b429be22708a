# SPDX-License-Identifier: BSD-3-Clause
# A network card's figures: Debian's kernel as User VM on a tap; the other end is in the Service VM. Run by
# tests/bench/run, and for the peer in Debian without a hypervisor, with the same device model on KVM. There a stream has
# not come to its end in the emulator's deterministic mode: the round trip alone is compared.
. /payload/guest/lib.sh
. /payload/guest/service/vm.sh
last=stream
if [ -e /usr/bin/acrn-dm-kvm ]; then
	last=rtt
	modprobe kvm-amd && cp /usr/bin/acrn-dm-kvm /usr/bin/acrn-dm || exit 1
else
	hsm_load || exit 1
fi
net_up
net_tap tap0
cat >/tmp/script <<'TXT'
. /payload/lib.sh
until_true 30 ip link show eth0
ip addr add 10.9.0.2/24 dev eth0
ip link set eth0 up
/payload/net_bench 10.9.0.1
read -r _
TXT
user_image /tmp/net.img /tmp/script /usr/bin/net_bench
net_bench serve &
vm_start net -m 256M -k "$KERNEL" -r /tmp/net.img -B "$USER_ARGS nokaslr no_timer_check" -s 3,virtio-net,tap=tap0
until_true 900 vm_says net "BENCH $last" || echo "no figures"
sed -n 's/.*\(BENCH [a-z]* [0-9]*\).*/\1/p' /tmp/net.out
kill -KILL "$(vm_pid net)"
