/* SPDX-License-Identifier: Apache-2.0 */
/* A node's DHCP frame, as it comes up from the data plane.  What is answered must itself be
 * sound. */
#include <stdlib.h>

#include "agent/dhcp.h"
#include "agent/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_answer(const struct buf *payload, const struct dhcp_lease *lease)
{
	struct reply_udp u = {.source = lease->router,
			      .destination = lease->addr,
			      .source_port = DHCP_SERVER_PORT,
			      .destination_port = DHCP_CLIENT_PORT,
			      .payload = buf_data(payload),
			      .size = buf_size(payload)};
	struct reply_udp back;
	struct buf frame;

	buf_init(&frame, 2000);
	reply_build(&frame, &u);
	if (buf_error(&frame) || reply_parse(buf_data(&frame), buf_size(&frame), &back) ||
	    back.size != u.size)
		abort();
	buf_deinit(&frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct dhcp_lease lease = {
		.mac = {{2, 0, 0, 0, 0, 7}},
		.addr = ipaddr_from_v4(0x0a000104),
		.subnet = prefix_v4(0x0a000100, 24),
		.router = ipaddr_from_v4(0x0a000101),
		.network = prefix_v4(0x0a000000, 16),
		.resolvers = {ipaddr_from_v4(0x0a000002)},
		.n_resolvers = 1,
		.mtu = 1460,
		.host_name = "ip-10-0-1-4",
		.domain = "ec2.internal",
	};
	enum dhcp_verdict verdict;
	struct dhcp_answer answer;
	struct reply_udp request;
	struct buf payload;

	if (reply_parse(data, size, &request))
		return 0;
	buf_init(&payload, 1500);
	if (!dhcp_serve(request.payload, request.size, &lease, &payload, &verdict, &answer)) {
		if ((verdict == DHCP_ANSWER) != (buf_size(&payload) > 0) || !answer.kind)
			abort();
		if (verdict == DHCP_ANSWER)
			check_answer(&payload, &lease);
	}
	buf_deinit(&payload);
	return 0;
}
