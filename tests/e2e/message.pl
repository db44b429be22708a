# SPDX-License-Identifier: BSD-3-Clause
# A message of the manager protocol, made of bytes and not of our header: message.pl SOCKET NUMBER [PACK-TEMPLATE VALUE...]
# Prints the first 32 bits of the answer's data.
use strict;
use Socket;

my ($path, $number, $template, @values) = @ARGV;
my $message = "vmm msg\0" . pack("VVQ<", $number, 0, time) . pack("a256", pack($template // "", @values));
my $answer = "";

$SIG{ALRM} = sub { die "no answer\n" };
alarm 60;
socket(my $socket, PF_UNIX, SOCK_STREAM, 0) or die "socket: $!\n";
connect($socket, pack_sockaddr_un($path)) or die "$path: $!\n";
syswrite($socket, $message) == 280 or die "$path: $!\n";
while (length $answer < 280) {
	sysread($socket, $answer, 280 - length $answer, length $answer) or die "the answer is short\n";
}
substr($answer, 0, 12) eq substr($message, 0, 12) or die "this is another answer\n";
print unpack("l<", substr($answer, 24, 4)), "\n";
