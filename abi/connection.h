/* SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0 */
/*
 * The life of a tracked connection: its states, how a packet changes them, how long each lasts
 * without packets.  The one copy of it, for the programs and for whoever shows the table.
 *
 * A connection is begun by a packet that the security groups of its direction allow; whatever
 * belongs to it then passes both ways, whatever becomes of the rules.  Each end tracks for itself.
 *
 *	TCP	a SYN begins SYN_SENT; SYN from the other side, with ACK or without (simultaneous
 *		open, RFC 9293 3.5), SYN_RECEIVED; an ACK then ESTABLISHED.  A FIN from one side
 *		CLOSING, from both CLOSED; RST from either side RESET.
 *		A packet that is neither SYN nor RST and belongs to nothing is judged as though it
 *		began something and makes PICKED_UP: nodes that have moved live on so.  The first
 *		packet from the other side makes that ESTABLISHED.
 *		In RESET, what is no RST makes PICKED_UP again: an endpoint may refuse a reset
 *		(RFC 5961 3.2).  A SYN outside SYN_SENT and SYN_RECEIVED is judged anew, and begins
 *		the connection again unless it is ESTABLISHED (an old duplicate, RFC 5961 4.2).
 *	UDP	ONE_WAY until the other side has answered, then STREAM.
 *	ICMP	an echo, timestamp, information or mask request begins QUERY; its answers pass.
 *		Errors belong to the connection of the packet that they quote and change nothing.
 *	other	OTHER.
 *
 * The times are those of EC2 ("Amazon EC2 security group connection tracking"), where it says any.
 */
#pragma once

#include <linux/types.h>

#define CONNECTION_INLINE static inline __attribute__((always_inline, unused))

enum connection_state {
	CONNECTION_NONE,
	CONNECTION_SYN_SENT,
	CONNECTION_SYN_RECEIVED,
	CONNECTION_PICKED_UP,
	CONNECTION_ESTABLISHED,
	CONNECTION_CLOSING,
	CONNECTION_CLOSED,
	CONNECTION_RESET,
	CONNECTION_ONE_WAY,
	CONNECTION_STREAM,
	CONNECTION_QUERY,
	CONNECTION_OTHER,
	CONNECTION_STATES,
};

enum {
	CONNECTION_EGRESS = 1 << 0,     /* begun by the port's node */
	CONNECTION_FIN_LOCAL = 1 << 1,  /* the port's node has sent a FIN */
	CONNECTION_FIN_REMOTE = 1 << 2, /* the other end has */
};

/* Of a TCP header's byte 13. */
enum {
	CONNECTION_TCP_FIN = 0x01,
	CONNECTION_TCP_SYN = 0x02,
	CONNECTION_TCP_RST = 0x04,
	CONNECTION_TCP_ACK = 0x10,
};

/* For people. */
#define CONNECTION_TEXTS                                                                           \
	{                                                                                          \
		"none", "syn-sent", "syn-received", "picked-up", "established", "closing",         \
			"closed", "reset", "one-way", "stream", "query", "tracked"                 \
	}

/* By state: seconds without a packet; and how readily a connection gives its place to a new one
 * when its port may have no more: the smallest first, and of equals the one that has been silent
 * longest. */
static const struct connection_rule {
	__u32 timeout;
	__u32 worth;
} connection_rules[16] __attribute__((unused)) = {
	[CONNECTION_SYN_SENT] = {60, 2},  [CONNECTION_SYN_RECEIVED] = {60, 2},
	[CONNECTION_PICKED_UP] = {60, 2}, [CONNECTION_ESTABLISHED] = {432000, 3},
	[CONNECTION_CLOSING] = {60, 1},   [CONNECTION_CLOSED] = {30, 1},
	[CONNECTION_RESET] = {10, 1},     [CONNECTION_ONE_WAY] = {30, 2},
	[CONNECTION_STREAM] = {180, 3},   [CONNECTION_QUERY] = {30, 2},
	[CONNECTION_OTHER] = {600, 3},
};

CONNECTION_INLINE __u32 connection_timeout(__u8 state)
{
	return connection_rules[state & 15].timeout;
}

CONNECTION_INLINE __u32 connection_worth(__u8 state)
{
	return connection_rules[state & 15].worth;
}

enum {
	CONNECTION_WORTH_MOST = 3,
	/* seconds: of those worth most, one that has spoken since gives no place */
	CONNECTION_KEEP = 5,
};

/* The state that a first packet of a protocol begins; 'tcp' is its byte 13. */
CONNECTION_INLINE __u8 connection_first(__u8 protocol, __u8 tcp)
{
	switch (protocol) {
	case 6:
		return (tcp & (CONNECTION_TCP_SYN | CONNECTION_TCP_ACK)) == CONNECTION_TCP_SYN
			       ? CONNECTION_SYN_SENT
			       : CONNECTION_PICKED_UP;
	case 17:
		return CONNECTION_ONE_WAY;
	case 1:
	case 58:
		return CONNECTION_QUERY;
	default:
		return CONNECTION_OTHER;
	}
}

/* A SYN that the rules have to allow although there is a connection. */
CONNECTION_INLINE _Bool connection_is_judged(__u8 state, __u8 protocol, __u8 tcp)
{
	return protocol == 6 && state > CONNECTION_SYN_RECEIVED &&
	       (tcp & (CONNECTION_TCP_SYN | CONNECTION_TCP_ACK | CONNECTION_TCP_RST)) ==
		       CONNECTION_TCP_SYN;
}

/* What such a SYN, allowed, makes of the connection: a new one, but for ESTABLISHED. */
CONNECTION_INLINE _Bool connection_begins_again(__u8 state)
{
	return state != CONNECTION_ESTABLISHED;
}

/* The state after a packet that belongs to the connection, from the port's node ('egress') or the
 * other end; '*flags' is changed with it. */
CONNECTION_INLINE __u8 connection_next_tcp(__u8 state, __u8 *flags, __u8 tcp, _Bool egress)
{
	_Bool by_beginner = !!(*flags & CONNECTION_EGRESS) == egress;

	if (tcp & CONNECTION_TCP_RST)
		return CONNECTION_RESET;
	if (tcp & CONNECTION_TCP_SYN)
		return state == CONNECTION_SYN_SENT && !by_beginner ? CONNECTION_SYN_RECEIVED
								    : state;
	if (tcp & CONNECTION_TCP_FIN) {
		const __u8 both = CONNECTION_FIN_LOCAL | CONNECTION_FIN_REMOTE;

		*flags |= egress ? CONNECTION_FIN_LOCAL : CONNECTION_FIN_REMOTE;
		return (*flags & both) == both ? CONNECTION_CLOSED : CONNECTION_CLOSING;
	}
	switch (state) {
	case CONNECTION_SYN_RECEIVED:
		return tcp & CONNECTION_TCP_ACK ? CONNECTION_ESTABLISHED : state;
	case CONNECTION_PICKED_UP:
		return by_beginner ? state : CONNECTION_ESTABLISHED;
	case CONNECTION_RESET:
		*flags = egress ? CONNECTION_EGRESS : 0;
		return CONNECTION_PICKED_UP;
	default:
		return state;
	}
}

CONNECTION_INLINE __u8 connection_next(__u8 protocol, __u8 state, __u8 *flags, __u8 tcp,
				       _Bool egress)
{
	if (protocol == 6)
		return connection_next_tcp(state, flags, tcp, egress);
	if (state == CONNECTION_ONE_WAY && !!(*flags & CONNECTION_EGRESS) != egress)
		return CONNECTION_STREAM;
	return state;
}

/* Whether a packet that may belong to a connection in 'state' leaves it as it is, so that it may
 * pass without the lock.  'tcp' is 0 for other protocols. */
CONNECTION_INLINE _Bool connection_is_settled(__u8 state, __u8 flags, __u8 tcp, _Bool egress)
{
	const __u32 settled = 1U << CONNECTION_ESTABLISHED | 1U << CONNECTION_CLOSING |
			      1U << CONNECTION_CLOSED | 1U << CONNECTION_STREAM |
			      1U << CONNECTION_QUERY | 1U << CONNECTION_OTHER;

	if (tcp & (CONNECTION_TCP_FIN | CONNECTION_TCP_SYN | CONNECTION_TCP_RST))
		return 0;
	if (settled >> (state & 15) & 1)
		return 1;
	return state == CONNECTION_ONE_WAY && !!(flags & CONNECTION_EGRESS) == egress;
}
