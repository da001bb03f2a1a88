/* SPDX-License-Identifier: Apache-2.0 */
/* A node's DHCPv6 message or router solicitation, as its frame comes up from the data plane.  What
 * is answered must itself be sound. */
#include <netinet/in.h>
#include <stdlib.h>

#include "agent/dhcp6.h"
#include "agent/ra.h"
#include "agent/reply6.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The options of an answer fill it exactly. */
static void check_options(const struct buf *payload)
{
	struct cursor c;

	cursor_init(&c, buf_data(payload), buf_size(payload));
	cursor_skip(&c, 4);
	while (cursor_left(&c)) {
		cursor_skip(&c, 2);
		cursor_sub(&c, cursor_be16(&c));
		if (cursor_error(&c))
			abort();
	}
}

static void check_answer(const struct buf *payload, const struct reply6 *request)
{
	struct reply6 u = {.source = request->destination,
			   .destination = request->source,
			   .protocol = IPPROTO_UDP,
			   .source_port = DHCP6_SERVER_PORT,
			   .destination_port = DHCP6_CLIENT_PORT,
			   .payload = buf_data(payload),
			   .size = buf_size(payload)};
	struct reply6 back;
	struct buf frame;

	check_options(payload);
	buf_init(&frame, 2000);
	reply6_build(&frame, &u);
	if (buf_error(&frame) || reply6_parse(buf_data(&frame), buf_size(&frame), &back) ||
	    back.size != u.size)
		abort();
	buf_deinit(&frame);
}

static void serve(const struct reply6 *request)
{
	const struct ipaddr addrs[] = {
		ipaddr_from_v4(0x0a000104),
		{{0x20, 1, 0xd, 0xb8, 0, 1, [15] = 0xa}},
		{{0xfe, 0x80, [15] = 7}},
		{{0x20, 1, 0xd, 0xb8, 0, 1, [15] = 0xb}},
	};
	const struct dhcp6_lease lease = {
		.router_mac = {{0x0a, 0x56, 0, 0, 7, 1}},
		.addrs = addrs,
		.n_addrs = 4,
		.subnet = {{{0x20, 1, 0xd, 0xb8, 0, 1}}, 64},
		.resolvers = {{{0x20, 1, 0xd, 0xb8, [15] = 53}}},
		.n_resolvers = 1,
		.domain = "ec2.internal",
	};
	enum dhcp6_verdict verdict;
	struct buf payload;
	const char *kind;

	buf_init(&payload, 1500);
	if (!dhcp6_serve(request->payload, request->size, request->destination.b[0] != 0xff, &lease,
			 &payload, &verdict, &kind)) {
		if ((verdict == DHCP6_ANSWER) != (buf_size(&payload) > 0) || !kind)
			abort();
		if (verdict == DHCP6_ANSWER)
			check_answer(&payload, request);
	}
	buf_deinit(&payload);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reply6 request;

	if (reply6_parse(data, size, &request))
		return 0;
	if (request.protocol == IPPROTO_UDP)
		serve(&request);
	else
		(void)!ra_check_solicitation(request.payload, request.size, request.hop_limit,
					     &request.source);
	return 0;
}
