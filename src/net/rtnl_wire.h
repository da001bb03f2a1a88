/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside net/rtnl*.c only: building requests, talking to the kernel, decoding what it says.
 *
 * The decoders take messages from the kernel, but check every attribute's size all the same.  They
 * return false for messages that are none of ours (other tables, other families).
 */
#pragma once

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>

#include "base/buf.h"
#include "net/rtnl.h"

struct rtnl_request {
	struct nlmsghdr *header;
	union {
		char bytes[1024]; /* the largest request, a veth pair, needs some 250 */
		struct nlmsghdr aligned;
	};
};

/* Starts a request with a zeroed family header of 'size' bytes, which is returned. */
void *rtnl_request_init(struct rtnl_request *q, uint16_t type, uint16_t flags, size_t size);
/* Sends it and waits for the acknowledgement. */
must_check int rtnl_do(struct rtnl *r, struct rtnl_request *q);
/* The same for requests that are answered: the messages are appended to 'ret_answers'. */
must_check int rtnl_ask(struct rtnl *r, struct rtnl_request *q, struct buf *ret_answers);
/* A dump, taken again when it changed meanwhile. */
must_check int rtnl_dump(struct rtnl *r, struct rtnl_request *q, struct buf *ret_answers);
/* A buffer fit for answers. */
void rtnl_answers_init(struct buf *b);

#define rtnl_for_each_answer(h, left, answers)                                                     \
	for ((left) = (int)buf_size(answers),                                                      \
	    (h) = (const struct nlmsghdr *)(const void *)buf_data(answers);                        \
	     mnl_nlmsg_ok((h), (left)); (h) = mnl_nlmsg_next((h), &(left)))

/* Attributes 0..max into 'ret' (zeroed first): of a message, behind its family header of 'size'
 * bytes; of a span; of a nest, which may be NULL. */
void rtnl_attrs(const struct nlmsghdr *h, size_t size, const struct nlattr **ret, uint16_t max);
void rtnl_attrs_span(const void *span, size_t size, const struct nlattr **ret, uint16_t max);
void rtnl_attrs_nested(const struct nlattr *nest, const struct nlattr **ret, uint16_t max);
/* The value, or 'otherwise' when the attribute is missing or of another size. */
uint32_t rtnl_attr_u32(const struct nlattr *a, uint32_t otherwise);
/* The address, or zero. */
struct ipaddr rtnl_attr_addr(const struct nlattr *a);
void rtnl_put_addr(struct nlmsghdr *h, uint16_t type, const struct ipaddr *a);
uint8_t rtnl_family(const struct ipaddr *a);
/* A prefix length of that family in the 128-bit space. */
uint8_t rtnl_len_from(uint8_t family, uint8_t len);

bool rtnl_link_decode(const struct nlmsghdr *h, struct rtnl_link *ret);
bool rtnl_addr_decode(const struct nlmsghdr *h, struct rtnl_addr *ret);
bool rtnl_route_decode(const struct nlmsghdr *h, struct rtnl_route *ret);
bool rtnl_neigh_decode(const struct nlmsghdr *h, struct rtnl_neigh *ret);
