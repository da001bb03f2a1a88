/* SPDX-License-Identifier: Apache-2.0 */
/* Real sockets of nodes and hosts of a lab.  Functions fail the test (cmocka) instead of returning
 * errors. */
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include "lab.h"

enum {
	/* the machine may be slow, and the kernel make sure of its own address first (DAD) */
	SOCKETS_WAIT_MS = 60000,
};

struct sockaddr_in sockets_at(const char *addr, uint16_t port);
/* An IPv4 socket in a namespace, bound to 'addr' unless that is NULL. */
int sockets_open(const struct lab *lab, int netns, int type, const char *addr, uint16_t port);
void sockets_send(int fd, const char *addr, uint16_t port, const void *data, size_t size);
bool sockets_readable(int fd, int ms);
int64_t sockets_now_ms(void); /* of no date */
/* Sends a datagram again and again until 'to' has it, whole: what is sent while addresses are being
 * resolved may be lost. */
void sockets_expect_through(const struct lab *lab, int from, const char *addr, uint16_t port,
			    int to, size_t size);
/* 'size' bytes by TCP, one way and more than is under way, so that the kernels make GSO packets;
 * closes both. */
void sockets_stream(int server, int client, const char *addr, uint16_t port, size_t size);
