# SPDX-License-Identifier: BSD-3-Clause
# In the User VM of the end-to-end test: its disk, its network, and then it waits for the power button.
echo "user-vm: $(head -c 22 /dev/vda)"
ping -c 3 -w 60 10.9.0.1 >/dev/null && echo "user-vm: the Service VM answers"
echo "user-vm: ready"
sleep 100000
