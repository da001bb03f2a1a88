/* SPDX-License-Identifier: Apache-2.0 */
#include "seal/descriptors.h"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "abi/seal.h"

#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

enum { DESCRIPTORS_BUFFER = 16 << 20 }; /* of a receiving socket */

int descriptors_device(const char *name, bool *ret_uso, int *ret)
{
	_cleanup_close_ int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	unsigned int offload = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
	bool uso;

	if (fd < 0)
		return -errno;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%.15s", name);
	if (ioctl(fd, TUNSETIFF, &request))
		return -errno;
	uso = !ioctl(fd, TUNSETOFFLOAD, (unsigned long)(offload | TUN_F_USO4 | TUN_F_USO6));
	if (!uso && ioctl(fd, TUNSETOFFLOAD, (unsigned long)offload))
		return -errno;
	*ret_uso = uso;
	*ret = TAKE_FD(fd);
	return 0;
}

int descriptors_socket(int family, const uint8_t local[16], int *ret)
{
	_cleanup_close_ int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(SEAL_PORT)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(SEAL_PORT)};
	int on = 1, size = DESCRIPTORS_BUFFER;
	bool is_v4 = family == AF_INET;

	if (fd < 0)
		return -errno;
	memcpy(&v4.sin_addr, local + 12, 4);
	memcpy(&v6.sin6_addr, local, 16);
	(void)!setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	(void)!setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof(on));
	if (setsockopt(fd, is_v4 ? IPPROTO_IP : IPPROTO_IPV6, is_v4 ? IP_FREEBIND : IPV6_FREEBIND,
		       &on, sizeof(on)) ||
	    bind(fd, is_v4 ? (struct sockaddr *)&v4 : (struct sockaddr *)&v6,
		 is_v4 ? sizeof(v4) : sizeof(v6)))
		return -errno;
	*ret = TAKE_FD(fd);
	return 0;
}
