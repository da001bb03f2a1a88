/* SPDX-License-Identifier: Apache-2.0 */
/* See flow_line.h. */
#include "manager/flow_line.h"

#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "model/interface.h"
#include "model/subnet.h"
#include "model/zone.h"
#include "net/addr.h"

enum {
	TCP_FLAGS = 0x17 /* those that are told: FIN, SYN, RST, ACK */,
	TCP_ACK = 0x10,
	TCP_SYN = 2
};

/* The version of a format is that of its newest field. */
static unsigned int version_of(const enum flow_field *fields, size_t n)
{
	unsigned int version = 2;

	for (size_t i = 0; i < n; i++)
		if (flow_field_version(fields[i]) > version)
			version = flow_field_version(fields[i]);
	return version;
}

static void put_id(struct buf *b, enum kind k, uint64_t id)
{
	char text[ID_TEXT_SIZE];

	buf_put_str(b, id ? id_text(k, id, text) : "-");
}

static struct ipaddr addr_of(const ProtobufCBinaryData *bytes)
{
	struct ipaddr a;

	memcpy(a.b, bytes->data, sizeof(a.b));
	return a;
}

/* 'own': the interface's end, whose IPv4 address is told as its primary one whichever it was. */
static void put_addr(struct buf *b, const struct flow_line *l, const ProtobufCBinaryData *bytes,
		     bool own)
{
	struct ipaddr a = addr_of(bytes);
	char text[IPADDR_TEXT_SIZE];

	if (own && ipaddr_is_v4(&a))
		a = l->interface->addrs[0].addr;
	buf_put_str(b, ipaddr_text(&a, text));
}

static void put_zone(struct buf *b, const struct flow_line *l)
{
	const struct subnet *s =
		(const struct subnet *)model_get(l->m, KIND_SUBNET, l->interface->subnet);
	char id[ZONE_ID_SIZE];

	for (size_t i = 0; s && i < MODEL_ZONES; i++)
		if (str_equal(model_zone(l->m, i), s->zone)) {
			buf_put_str(b, zone_id(l->m, i, id));
			return;
		}
	buf_put_str(b, "-");
}

/* As EC2 tells them: a SYN that is answered counts as 18, an ACK alone as nothing. */
static unsigned int tcp_flags(uint32_t seen)
{
	unsigned int flags = seen & TCP_FLAGS;

	return flags & TCP_SYN ? flags : flags & ~(unsigned int)TCP_ACK;
}

/* Fields that every line has; false: it is one of the record's. */
static bool put_common(struct buf *b, enum flow_field f, const struct flow_line *l,
		       unsigned int version)
{
	static const char *const statuses[] = {"OK", "NODATA", "SKIPDATA"};
	const struct interface *i = l->interface;

	switch (f) {
	case FLOW_FIELD_VERSION:
		buf_put_printf(b, "%u", version);
		return true;
	case FLOW_FIELD_ACCOUNT_ID:
		buf_put_printf(b, "%012" PRIu64, i->o.account);
		return true;
	case FLOW_FIELD_INTERFACE_ID:
		put_id(b, KIND_INTERFACE, i->o.id);
		return true;
	case FLOW_FIELD_START:
		buf_put_printf(b, "%" PRIu64, l->start_ms / 1000);
		return true;
	case FLOW_FIELD_END:
		buf_put_printf(b, "%" PRIu64, l->end_ms / 1000);
		return true;
	case FLOW_FIELD_LOG_STATUS:
		buf_put_str(b, statuses[l->status]);
		return true;
	case FLOW_FIELD_VPC_ID:
		put_id(b, KIND_VPC, i->vpc);
		return true;
	case FLOW_FIELD_SUBNET_ID:
		put_id(b, KIND_SUBNET, i->subnet);
		return true;
	case FLOW_FIELD_INSTANCE_ID:
		put_id(b, KIND_INSTANCE, l->instance);
		return true;
	case FLOW_FIELD_REGION:
		buf_put_str(b, model_region(l->m));
		return true;
	case FLOW_FIELD_AZ_ID:
		put_zone(b, l);
		return true;
	default:
		return false;
	}
}

static void put_record(struct buf *b, enum flow_field f, const struct flow_line *l)
{
	const Viaduct__Agent__FlowRecord *r = l->record;
	struct ipaddr src;

	switch (f) {
	case FLOW_FIELD_SRCADDR:
		put_addr(b, l, &r->src, r->egress);
		return;
	case FLOW_FIELD_DSTADDR:
		put_addr(b, l, &r->dst, !r->egress);
		return;
	case FLOW_FIELD_PKT_SRCADDR:
		put_addr(b, l, &r->src, false);
		return;
	case FLOW_FIELD_PKT_DSTADDR:
		put_addr(b, l, &r->dst, false);
		return;
	case FLOW_FIELD_SRCPORT:
		buf_put_printf(b, "%u", r->source);
		return;
	case FLOW_FIELD_DSTPORT:
		buf_put_printf(b, "%u", r->destination);
		return;
	case FLOW_FIELD_PROTOCOL:
		buf_put_printf(b, "%u", r->protocol);
		return;
	case FLOW_FIELD_PACKETS:
		buf_put_printf(b, "%" PRIu64, r->packets);
		return;
	case FLOW_FIELD_BYTES:
		buf_put_printf(b, "%" PRIu64, r->bytes);
		return;
	case FLOW_FIELD_ACTION:
		buf_put_str(b, r->reject ? "REJECT" : "ACCEPT");
		return;
	case FLOW_FIELD_TCP_FLAGS:
		buf_put_printf(b, "%u", tcp_flags(r->tcp));
		return;
	case FLOW_FIELD_TYPE:
		src = addr_of(&r->src);
		buf_put_str(b, ipaddr_is_v4(&src) ? "IPv4" : "IPv6");
		return;
	case FLOW_FIELD_FLOW_DIRECTION:
		buf_put_str(b, r->egress ? "egress" : "ingress");
		return;
	default: /* of what only Amazon's network has */
		buf_put_str(b, "-");
	}
}

void flow_line_write(struct buf *b, const enum flow_field *fields, size_t n,
		     const struct flow_line *line)
{
	unsigned int version = version_of(fields, n);

	for (size_t i = 0; i < n; i++) {
		buf_put_str(b, i ? " " : "");
		if (put_common(b, fields[i], line, version))
			continue;
		if (line->status == FLOW_STATUS_OK)
			put_record(b, fields[i], line);
		else
			buf_put_str(b, "-");
	}
	buf_put_str(b, "\n");
}
