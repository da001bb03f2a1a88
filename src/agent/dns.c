/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/dns.h"

#include <ctype.h>
#include <string.h>

#include "base/str.h"

enum {
	DNS_HEADER_SIZE = 12,
	DNS_LABEL_MAX = 63,

	DNS_FLAG_RESPONSE = 0x8000,
	DNS_FLAG_AUTHORITATIVE = 0x0400,
	DNS_FLAG_RECURSION_DESIRED = 0x0100,
	DNS_OPCODE_MASK = 0x7800,

	DNS_TYPE_A = 1,
	DNS_TYPE_PTR = 12,
	DNS_TYPE_AAAA = 28, /* RFC 3596 */
	DNS_CLASS_IN = 1,
	DNS_POINTER_TO_QUESTION = 0xc000 | DNS_HEADER_SIZE,
};

static const char dns_reverse_zone[] = "in-addr.arpa";

/* Reads a name without compression (a question is the first name of its message, there is nothing
 * to point at) to dotted lower-case text. A byte that is no printable ASCII, or a dot inside a
 * label, makes it a name that we cannot have: '*ret_plain' is then false. */
static void dns_read_name(struct cursor *c, char ret_text[static DNS_NAME_SIZE + 1],
			  bool *ret_plain)
{
	size_t n = 0;
	uint8_t length;

	*ret_plain = true;
	while ((length = cursor_u8(c)) && !cursor_error(c)) {
		const uint8_t *label;

		if (length > DNS_LABEL_MAX || n + length + 1 > DNS_NAME_SIZE - 2) {
			cursor_fail(c);
			break;
		}
		label = cursor_take(c, length);
		if (!label)
			break;
		if (n)
			ret_text[n++] = '.';
		for (size_t i = 0; i < length; i++) {
			if (label[i] <= ' ' || label[i] >= 0x7f || label[i] == '.')
				*ret_plain = false;
			ret_text[n++] = (char)tolower(label[i]);
		}
	}
	ret_text[n] = '\0';
}

/* "4.0.0.10.in-addr.arpa" to 10.0.0.4. */
static int dns_reverse_address(const char *name, struct ipaddr *ret)
{
	_cleanup_(strv_free_cleanup) char **labels = NULL;
	uint32_t addr = 0, byte;
	int e;

	e = strv_split(name, '.', 6, &labels);
	if (e)
		return e == -ENOMEM ? e : -EINVAL;
	if (strv_count(labels) != 6)
		return -EINVAL;
	for (size_t i = 0; i < 4; i++) {
		if (str_u32(labels[i], 0, 255, &byte))
			return -EINVAL;
		addr |= byte << (8 * i);
	}
	*ret = ipaddr_from_v4(addr);
	return 0;
}

static bool dns_is_in_zone(const char *name, const char *zone)
{
	size_t length = strlen(name), zone_length = strlen(zone);

	return zone_length && length > zone_length + 1 && name[length - zone_length - 1] == '.' &&
	       str_has_suffix(name, zone);
}

/* What a plain name is about. */
static void dns_classify(const char *name, const char *domain, struct dns_question *q)
{
	size_t length = strlen(name);

	q->kind = DNS_OTHER;
	q->rcode = DNS_REFUSED;
	if (dns_is_in_zone(name, dns_reverse_zone)) {
		if (!dns_reverse_address(name, &q->addr))
			q->kind = DNS_ADDRESS;
		return;
	}
	if (dns_is_in_zone(name, domain)) {
		q->in_domain = true;
		q->rcode = DNS_NXDOMAIN; /* we are the authority of what is in the domain */
		length -= strlen(domain) + 1;
	}
	if (!length || length >= sizeof(q->label) || memchr(name, '.', length))
		return;
	memcpy(q->label, name, length);
	q->label[length] = '\0';
	q->kind = DNS_NAME;
}

static void dns_lower(char *text)
{
	for (; *text; text++)
		*text = (char)tolower((unsigned char)*text);
}

int dns_parse(const uint8_t *payload, size_t size, const char *domain, struct dns_question *ret)
{
	struct dns_question q = {.kind = DNS_OTHER, .rcode = DNS_FORMERR};
	char name[DNS_NAME_SIZE + 1], zone[DNS_NAME_SIZE + 1] = "";
	struct cursor c;
	const uint8_t *section;
	uint16_t n_questions, class;
	bool plain;

	cursor_init(&c, payload, size);
	q.id = cursor_be16(&c);
	q.flags = cursor_be16(&c);
	n_questions = cursor_be16(&c);
	cursor_skip(&c, 6); /* counts of records that are not read */
	if (cursor_error(&c) || q.flags & DNS_FLAG_RESPONSE)
		return -EBADMSG;
	*ret = q;
	if (q.flags & DNS_OPCODE_MASK) {
		ret->rcode = DNS_NOTIMP;
		return 0;
	}
	section = c.at;
	dns_read_name(&c, name, &plain);
	q.type = cursor_be16(&c);
	class = cursor_be16(&c);
	if (n_questions != 1 || cursor_error(&c))
		return 0;
	q.size = (size_t)(c.at - section);
	memcpy(q.section, section, q.size);
	q.rcode = DNS_REFUSED;
	/* A domain that does not fit is one that nobody can ask for. */
	if (!str_copy(zone, sizeof(zone), domain))
		dns_lower(zone);
	if (class == DNS_CLASS_IN && plain)
		dns_classify(name, zone, &q);
	*ret = q;
	return 0;
}

static void dns_put_name(struct buf *b, const char *name)
{
	while (*name) {
		size_t length = strcspn(name, ".");

		buf_put_u8(b, (uint8_t)length);
		buf_put(b, name, length);
		name += length + (name[length] == '.');
	}
	buf_put_u8(b, 0);
}

/* Whether 'name' can be written as labels. */
static bool dns_name_is_valid(const char *name)
{
	size_t length = strlen(name);

	if (!length || length > DNS_NAME_SIZE - 2)
		return false;
	while (*name) {
		size_t label = strcspn(name, ".");

		if (!label || label > DNS_LABEL_MAX)
			return false;
		name += label + (name[label] == '.');
	}
	return true;
}

static void dns_put_record(struct buf *b, uint16_t type, uint16_t data_size)
{
	buf_put_be16(b, DNS_POINTER_TO_QUESTION);
	buf_put_be16(b, type);
	buf_put_be16(b, DNS_CLASS_IN);
	buf_put_be32(b, DNS_ANSWER_TTL);
	buf_put_be16(b, data_size);
}

bool dns_wants_v6(const struct dns_question *q)
{
	return q->kind == DNS_NAME && q->type == DNS_TYPE_AAAA;
}

void dns_answer(struct buf *b, const struct dns_question *q, enum dns_rcode rcode,
		const struct ipaddr *addr, const char *name)
{
	const bool ok = rcode == DNS_NOERROR && q->size;
	const bool named = ok && q->kind == DNS_NAME && addr;
	const bool a = named && q->type == DNS_TYPE_A && ipaddr_is_v4(addr);
	const bool aaaa = named && q->type == DNS_TYPE_AAAA && !ipaddr_is_v4(addr);
	const bool ptr = ok && q->kind == DNS_ADDRESS && q->type == DNS_TYPE_PTR && name &&
			 dns_name_is_valid(name);
	uint16_t flags = DNS_FLAG_RESPONSE;

	flags |= q->flags & (DNS_OPCODE_MASK | DNS_FLAG_RECURSION_DESIRED);
	if (rcode == DNS_NOERROR || rcode == DNS_NXDOMAIN)
		flags |= DNS_FLAG_AUTHORITATIVE;
	buf_put_be16(b, q->id);
	buf_put_be16(b, (uint16_t)(flags | rcode));
	buf_put_be16(b, q->size ? 1 : 0);
	buf_put_be16(b, a || aaaa || ptr ? 1 : 0);
	buf_put_be32(b, 0); /* no authority, nothing additional */
	buf_put(b, q->section, q->size);
	if (a) {
		dns_put_record(b, DNS_TYPE_A, 4);
		buf_put_be32(b, ipaddr_v4(addr));
	} else if (aaaa) {
		dns_put_record(b, DNS_TYPE_AAAA, sizeof(addr->b));
		buf_put(b, addr->b, sizeof(addr->b));
	} else if (ptr) {
		dns_put_record(b, DNS_TYPE_PTR, (uint16_t)(strlen(name) + 2));
		dns_put_name(b, name);
	}
}
