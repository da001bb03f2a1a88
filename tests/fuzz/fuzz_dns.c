/* SPDX-License-Identifier: Apache-2.0 */
/* A node's DNS query, as the UDP payload that it is.  Every answer repeats the question it
 * answers. */
#include <stdlib.h>
#include <string.h>

#include "agent/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct ipaddr addr = ipaddr_from_v4(0x0a000004);
	struct dns_question q;
	struct buf b;

	if (dns_parse(data, size, "ec2.internal", &q))
		return 0;
	if (q.kind == DNS_NAME && (!*q.label || strlen(q.label) >= sizeof(q.label)))
		abort();
	buf_init(&b, 600);
	dns_answer(&b, &q, q.kind == DNS_OTHER ? q.rcode : DNS_NOERROR, &addr,
		   "ip-10-0-0-4.ec2.internal");
	if (buf_error(&b) || buf_size(&b) < 12 + q.size || buf_size(&b) > 512)
		abort();
	if (q.size && memcmp(buf_data(&b) + 12, data + 12, q.size))
		abort();
	buf_deinit(&b);
	return 0;
}
