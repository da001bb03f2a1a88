/* SPDX-License-Identifier: Apache-2.0 */
/* Sends and receives for nodes of the fake data plane: see fake.h. */
#include "datapath/fake_packet.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/fake_tables.h"
#include "net/csum.h"

struct fake_numbered fake_numbered(const struct ipaddr *src, const struct ipaddr *dst,
				   uint32_t number)
{
	struct fake_numbered n = {
		.ethernet.ether_type = htons(ETHERTYPE_IP),
		.ip = {.version = 4,
		       .ihl = 5,
		       .tot_len = htons(sizeof(struct iphdr) + sizeof(uint32_t)),
		       .ttl = 64,
		       .protocol = FAKE_NUMBER_PROTOCOL,
		       .saddr = htonl(ipaddr_v4(src)),
		       .daddr = htonl(ipaddr_v4(dst))},
		.number = htonl(number),
	};

	n.ip.check = csum(&n.ip, sizeof(n.ip));
	return n;
}

enum fake_verdict fake_send_packet(struct fake_world *world, const char *name, uint32_t port,
				   const struct ipaddr *src, const struct ipaddr *dst,
				   uint32_t number, uint32_t *ret_reason)
{
	struct fake_numbered n = fake_numbered(src, dst, number);
	struct fake_host *h = fake_host_find(world, name);
	struct fake_port *from = h ? fake_port_find(h, port) : NULL;
	const struct dp_subnet *own = from ? fake_subnet_find(h, from->dp.vni, src) : NULL;

	if (from)
		memcpy(n.ethernet.ether_shost, from->dp.mac.b, 6);
	/* else to a neighbour's, which nobody asks for */
	if (own && !prefix_contains(&own->prefix, dst))
		memcpy(n.ethernet.ether_dhost, own->router_mac.b, 6);
	return fake_send(world, name, port, (const uint8_t *)&n, sizeof(n), ret_reason);
}

bool fake_receive(struct fake_world *world, const char *name, uint32_t port, uint8_t **ret,
		  size_t *ret_size)
{
	struct fake_host *h = fake_host_find(world, name);
	struct fake_port *p = h ? fake_port_find(h, port) : NULL;
	struct fake_frame *f;
	uint8_t *data;

	if (!p || list_empty(p->received))
		return false;
	f = container_of(p->received->next, struct fake_frame, link);
	data = malloc(f->size);
	if (!data)
		return false;
	memcpy(data, f->data, f->size);
	list_remove(&f->link);
	*ret = data;
	*ret_size = f->size;
	free(f);
	return true;
}

bool fake_receive_packet(struct fake_world *world, const char *name, uint32_t port,
			 uint32_t *ret_number)
{
	_cleanup_free_ uint8_t *frame = NULL;
	struct fake_numbered n;
	size_t size;

	if (!fake_receive(world, name, port, &frame, &size) || size != sizeof(n))
		return false;
	memcpy(&n, frame, sizeof(n));
	if (n.ethernet.ether_type != htons(ETHERTYPE_IP) || n.ip.protocol != FAKE_NUMBER_PROTOCOL)
		return false;
	*ret_number = ntohl(n.number);
	return true;
}
