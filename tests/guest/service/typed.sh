# SPDX-License-Identifier: BSD-3-Clause
# A User VM that is spoken to by its serial port. Sourced after vm.sh.

# type_in NAME TEXT: a line on the guest's serial port
type_in() { echo "$2" >"/tmp/$1.in"; }

# vm_typed NAME OPTIONS...: as vm_start, with a pipe for what is typed
vm_typed() {
	mkfifo "/tmp/$1.in"
	sleep 2000 >"/tmp/$1.in" &
	VM_INPUT=/tmp/$1.in
	vm_start "$@"
	VM_INPUT=
}

says_or_ended() { vm_says "$1" "$2" || vm_ended "$1"; }

# wait_says NAME SECONDS REGEX
wait_says() { until_true "$2" says_or_ended "$1" "$3"; vm_says "$1" "$3"; }

# has_said NAME TIMES REGEX
has_said() { [ "$(grep -acE "$3" "/tmp/$1.out")" -ge "$2" ]; }

# log_in NAME TIMES: to mkguest's Debian, for the first, second, ... time
log_in() {
	prompts=$(grep -ac 'root@guest:~# ' "/tmp/$1.out")
	type_in "$1" root
	until_true 60 has_said "$1" "$2" Password
	type_in "$1" acrn
	until_true 60 has_said "$1" $((prompts + 1)) 'root@guest:~# '
}
