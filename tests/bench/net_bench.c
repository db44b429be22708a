/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ticks of a network round trip (a datagram of 64 bytes, echoed) and of a MiB that is sent (TCP). "net_bench serve" is
 * the other end, in the Service VM; "net_bench ADDRESS" runs in a User VM and says "BENCH rtt TICKS" and
 * "BENCH stream TICKS".
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <x86intrin.h>

#define ECHO_PORT	4007
#define SINK_PORT	4009
#define TRIPS		300u
#define MIBS		8u

static char buffer[65536];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int open_socket(int type, const char *address, uint16_t port, struct sockaddr_in *at)
{
	int fd = socket(AF_INET, type, 0);

	*at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
	if (fd < 0 || (address && inet_pton(AF_INET, address, &at->sin_addr) != 1))
		die("net_bench: socket");
	return fd;
}

static void echo(int fd)
{
	for (;;) {
		struct sockaddr_in from;
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, buffer, sizeof(buffer), 0, (struct sockaddr *)&from, &len);

		if (n > 0 && sendto(fd, buffer, (size_t)n, 0, (struct sockaddr *)&from, len) != n)
			die("net_bench: echo");
	}
}

static void sink(int fd)
{
	for (;;) {
		int peer = accept(fd, NULL, NULL);

		while (peer >= 0 && read(peer, buffer, sizeof(buffer)) > 0)
			;
		close(peer);
	}
}

static int serve(void)
{
	struct sockaddr_in at;
	int udp = open_socket(SOCK_DGRAM, NULL, ECHO_PORT, &at), tcp;

	if (bind(udp, (struct sockaddr *)&at, sizeof(at)) != 0)
		die("net_bench: bind");
	tcp = open_socket(SOCK_STREAM, NULL, SINK_PORT, &at);
	if (bind(tcp, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(tcp, 1) != 0)
		die("net_bench: listen");
	if (fork() == 0)
		sink(tcp);
	echo(udp);
	return 0;
}

/* The mean, after a few that are not counted: the address has to be asked for first. */
static uint64_t measure_trips(const char *address)
{
	struct timeval patience = { .tv_sec = 2 };
	struct sockaddr_in at;
	int fd = open_socket(SOCK_DGRAM, address, ECHO_PORT, &at);
	uint64_t from = 0;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0)
		die("net_bench: connect");
	for (unsigned int i = 0; i < TRIPS + 10; i++) {
		if (i == 10)
			from = __rdtsc();
		if (send(fd, buffer, 64, 0) != 64 || recv(fd, buffer, sizeof(buffer), 0) != 64)
			die("net_bench: round trip");
	}
	close(fd);
	return (__rdtsc() - from) / TRIPS;
}

/* Until the other end has read all: it closes then. */
static uint64_t measure_stream(const char *address)
{
	struct sockaddr_in at;
	int fd = open_socket(SOCK_STREAM, address, SINK_PORT, &at);
	uint64_t from;

	if (connect(fd, (struct sockaddr *)&at, sizeof(at)) != 0)
		die("net_bench: connect");
	from = __rdtsc();
	for (size_t left = MIBS << 20; left > 0;) {
		ssize_t n = write(fd, buffer, left < sizeof(buffer) ? left : sizeof(buffer));

		if (n <= 0)
			die("net_bench: stream");
		left -= (size_t)n;
	}
	shutdown(fd, SHUT_WR);
	if (read(fd, buffer, 1) != 0)
		die("net_bench: end of stream");
	return (__rdtsc() - from) / MIBS;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "net_bench: serve, or the address of who serves\n");
		return 1;
	}
	if (strcmp(argv[1], "serve") == 0)
		return serve();
	printf("BENCH rtt %llu\n", (unsigned long long)measure_trips(argv[1]));
	printf("BENCH stream %llu\n", (unsigned long long)measure_stream(argv[1]));
	return 0;
}
