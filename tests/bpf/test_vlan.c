/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records with a VLAN tag, on real frames: nodes a, c on host 1, b on host 2.  BPF_PROG_RUN cannot
 * make a tagged packet, so all of them are sent and taken by packet sockets in the nodes, which
 * need no VLAN device.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "abi/drop.h"
#include "datapath/bpf_host.h"
#include "pair_lab.h"

enum {
	DF = 0x4000,
	TAG = 12,
	WAIT_MS = 60000, /* for what will come */
	NONE = -1,       /* no tag at all */
};

static struct pair_lab fixture;
static struct lab_node *third; /* on host 1 */

static int set_up(void **state)
{
	struct pair_lab *f = &fixture;

	pair_lab_init(f, FORMAT_SIIT_2);
	third = lab_node(&f->lab, 0, LAB_VNI, "10.0.1.12", "10.0.1.1");
	lab_map(&f->lab, LAB_VNI, "10.0.1.12", 0, DP_MAPPING_LIVE);
	return 0;
}

static int tear_down(void **state)
{
	lab_deinit(&fixture.lab);
	return 0;
}

static void tag_port(struct lab_node *n, uint16_t vlan)
{
	n->port.vlan = vlan;
	lab_set_port(&fixture.lab, n->host, &n->port);
}

static int reset(void **state)
{
	tag_port(fixture.a, 0);
	tag_port(fixture.b, 0);
	tag_port(third, 0);
	return 0;
}

/* ---- frames in nodes ---- */

/* A packet socket on the node's interface, which sees tags. */
static int tap(const struct lab_node *n)
{
	struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
	int fd, yes = 1;

	lab_enter(&fixture.lab, n->netns);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
	assert_true(fd >= 0);
	at.sll_ifindex = (int)if_nametoindex("eth0");
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &yes, sizeof(yes)), 0);
	lab_enter(&fixture.lab, -1);
	return fd;
}

struct tag {
	uint16_t protocol; /* ETHERTYPE_VLAN, or 802.1ad's */
	int tci;           /* NONE: there is no tag */
};

/* Sends 'f' with up to two tags, the outer one first. */
static void send_tagged(int fd, const struct frame *f, struct tag outer, struct tag inner)
{
	const struct tag tags[] = {outer, inner};
	struct frame t = {.size = 12};

	memcpy(t.b, f->b, 12);
	for (size_t i = 0; i < 2; i++)
		if (tags[i].tci != NONE) {
			frame_put_u16(&t, t.size, tags[i].protocol);
			frame_put_u16(&t, t.size + 2, (uint16_t)tags[i].tci);
			t.size += 4;
		}
	memcpy(t.b + t.size, f->b + 12, f->size - 12);
	t.size += f->size - 12;
	assert_int_equal(send(fd, t.b, t.size, 0), (ssize_t)t.size);
}

static void send_with(int fd, const struct frame *f, int tci)
{
	send_tagged(fd, f, (struct tag){ETHERTYPE_VLAN, tci}, (struct tag){0, NONE});
}

/* The next frame that came in to the node: false, there is none now. */
static bool take(int fd, int wait_ms, struct frame *ret, int *ret_tci)
{
	union {
		char room[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
		struct cmsghdr align;
	} control;
	struct sockaddr_ll from;
	struct iovec part = {ret->b, sizeof(ret->b)};
	struct msghdr m = {.msg_name = &from,
			   .msg_namelen = sizeof(from),
			   .msg_iov = &part,
			   .msg_iovlen = 1,
			   .msg_control = &control,
			   .msg_controllen = sizeof(control)};
	struct pollfd p = {.fd = fd, .events = POLLIN};
	const struct tpacket_auxdata *aux;
	ssize_t n;

	if (poll(&p, 1, wait_ms) != 1)
		return false;
	n = recvmsg(fd, &m, 0);
	assert_true(n >= 0);
	ret->size = from.sll_pkttype == PACKET_OUTGOING ? 0 : (size_t)n;
	assert_non_null(CMSG_FIRSTHDR(&m));
	aux = (const struct tpacket_auxdata *)(const void *)CMSG_DATA(CMSG_FIRSTHDR(&m));
	*ret_tci = aux->tp_status & TP_STATUS_VLAN_VALID ? aux->tp_vlan_tci : NONE;
	return true;
}

/* Waits for the frame whose Ethernet payload is that of 'want', and gives its tag. */
static int await_frame(int fd, const struct frame *want)
{
	struct frame got;
	int tci;

	while (take(fd, WAIT_MS, &got, &tci))
		if (got.size == want->size && !memcmp(got.b + 12, want->b + 12, want->size - 12))
			return tci;
	lab_explain(&fixture.lab);
	fail_msg("the frame does not arrive");
	return NONE;
}

/* Whether the frame has come, among all that has come by now. */
static bool has_come(int fd, const struct frame *want)
{
	bool yes = false;
	struct frame got;
	int tci;

	while (take(fd, 0, &got, &tci))
		yes |= got.size == want->size && !memcmp(got.b + 12, want->b + 12, want->size - 12);
	return yes;
}

static void await_drop(const struct lab_node *n, uint64_t before)
{
	for (int ms = 0; lab_drops(&fixture.lab, n->host, n->port.id, DROP_VLAN) == before; ms++) {
		assert_true(ms < WAIT_MS);
		poll(NULL, 0, 1);
	}
}

static struct frame packet(const struct lab_node *from, const char *src, const char *dst)
{
	static uint16_t size = 10; /* each another, to be known by */
	struct v4 p = {.src = src,
		       .dst = dst,
		       .from = (uint8_t)from->port.id,
		       .protocol = IPPROTO_UDP,
		       .ttl = 64,
		       .fragment = DF,
		       .payload = size++};

	return frame_v4(&p);
}

/* ---- tests ---- */

/* What a node sends goes on with the tag of its record, which it has lost then, and not otherwise,
 * be it the first packet or one of a flow that is known.  requirement: NIC-1 */
static void test_out(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name;
		uint16_t vlan; /* of the record */
		struct tag outer, inner;
		bool passes;
	} table[] = {
		{"none, none",            0,   {0, NONE},                            {0, NONE}, true},
		{"none, tagged",          0,   {ETHERTYPE_VLAN, TAG},                {0, NONE}, false},
		{"none, priority",        0,   {ETHERTYPE_VLAN, 5 << 13},            {0, NONE}, true},
		{"none, empty tag",       0,   {ETHERTYPE_VLAN, 0},                  {0, NONE}, true},
		{"tag, tagged",           TAG, {ETHERTYPE_VLAN, TAG},                {0, NONE}, true},
		{"tag, with priority",    TAG, {ETHERTYPE_VLAN, 5 << 13 | TAG},      {0, NONE}, true},
		{"tag, none",             TAG, {0, NONE},                            {0, NONE}, false},
		{"tag, another",          TAG, {ETHERTYPE_VLAN, TAG + 1},            {0, NONE}, false},
		{"tag, priority",         TAG, {ETHERTYPE_VLAN, 5 << 13},            {0, NONE}, false},
		{"tag, a provider's",     TAG, {0x88a8, TAG},                        {0, NONE}, false},
		{"tag, tag in tag",       TAG, {ETHERTYPE_VLAN, TAG}, {ETHERTYPE_VLAN, TAG}, false},
		{"4094",                 4094, {ETHERTYPE_VLAN, 4094},               {0, NONE}, true},
	};
	/* clang-format on */
	int a = tap(fixture.a), b = tap(fixture.b), c = tap(third);

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		print_message("  %s\n", table[i].name);
		tag_port(fixture.a, table[i].vlan);
		for (int n = 0; n < 6; n++) { /* to the other host, and to a neighbour */
			uint64_t before = lab_drops(&fixture.lab, 0, fixture.a->port.id, DROP_VLAN);
			struct frame f =
				packet(fixture.a, "10.0.1.10", n & 1 ? "10.0.1.12" : "10.0.1.11");

			send_tagged(a, &f, table[i].outer, table[i].inner);
			if (table[i].passes) {
				assert_int_equal(await_frame(n & 1 ? c : b, &f), NONE);
				continue;
			}
			await_drop(fixture.a, before);
			assert_false(has_come(b, &f));
			assert_false(has_come(c, &f));
		}
	}
	close(a);
	close(b);
	close(c);
}

/* What is for the node comes with its record's tag, from another host and from this one, also after
 * the record was changed under a known flow.  requirement: NIC-1 */
static void test_in(void **state)
{
	int a = tap(fixture.a), b = tap(fixture.b), c = tap(third);
	const uint16_t vlans[] = {0, TAG, 4094, 0};

	for (size_t i = 0; i < sizeof(vlans) / sizeof(vlans[0]); i++) {
		int want = vlans[i] ? vlans[i] : NONE;

		tag_port(fixture.a, vlans[i]);
		for (int n = 0; n < 3; n++) {
			struct frame f = packet(fixture.b, "10.0.1.11", "10.0.1.10");

			send_with(b, &f, NONE);
			assert_int_equal(await_frame(a, &f), want);
			f = packet(third, "10.0.1.12", "10.0.1.10");
			send_with(c, &f, NONE);
			assert_int_equal(await_frame(a, &f), want);
		}
	}
	close(a);
	close(b);
	close(c);
}

/* Two nodes with the same network and different tags talk: each sees its own.  requirement:
 * NIC-1 */
static void test_between_tags(void **state)
{
	int a = tap(fixture.a), b = tap(fixture.b);
	struct frame f = packet(fixture.a, "10.0.1.10", "10.0.1.11");

	tag_port(fixture.a, TAG);
	tag_port(fixture.b, TAG + 1);
	send_with(a, &f, TAG);
	assert_int_equal(await_frame(b, &f), TAG + 1);
	f = packet(fixture.b, "10.0.1.11", "10.0.1.10");
	send_with(b, &f, TAG + 1);
	assert_int_equal(await_frame(a, &f), TAG);
	close(a);
	close(b);
}

static struct frame arp(uint16_t operation)
{
	const bool reply = operation == 2;
	uint8_t node[6] = {0x02, 0, 0, 0, 0, (uint8_t)fixture.a->port.id};
	uint8_t remote[6] = {0x06, LAB_VNI, 10, 0, 1, 11};
	struct frame f = {.size = 42};

	memset(f.b, 0xff, 6);
	memcpy(f.b + 6, node, 6);
	frame_put_u16(&f, 12, ETHERTYPE_ARP);
	frame_put_u16(&f, 14, 1);
	frame_put_u16(&f, 16, ETHERTYPE_IP);
	frame_put_u16(&f, 18, 0x0604);
	frame_put_u16(&f, 20, operation);
	memcpy(f.b + 22, reply ? remote : node, 6);
	frame_put_u32(&f, 28, reply ? 0x0a00010b : 0x0a00010a);
	memcpy(f.b + 32, reply ? node : (uint8_t[6]){}, 6);
	frame_put_u32(&f, 38, reply ? 0x0a00010a : 0x0a00010b);
	return f;
}

/* Its neighbours' addresses, and what its agent says (DHCP), come with the tag as well, and the
 * agent that adopts the port goes on with it.  requirement: NIC-1 */
static void test_answers(void **state)
{
	struct frame request = arp(1), answer = arp(2), said;
	int a = tap(fixture.a);
	uint64_t before;

	tag_port(fixture.a, TAG);
	for (int n = 0; n < 2; n++) {
		before = lab_drops(&fixture.lab, 0, fixture.a->port.id, DROP_VLAN);
		send_with(a, &request, NONE);
		await_drop(fixture.a, before);
		assert_false(has_come(a, &answer));
		send_with(a, &request, TAG);
		assert_int_equal(await_frame(a, &answer), TAG);
		said = packet(fixture.b, "10.0.1.1", "10.0.1.10");
		lab_enter(&fixture.lab, fixture.lab.hosts[0].netns);
		assert_int_equal(datapath_deliver(fixture.lab.hosts[0].dp, fixture.a->port.id,
						  said.b, said.size),
				 0);
		lab_enter(&fixture.lab, -1);
		assert_int_equal(await_frame(a, &said), TAG);
		datapath_close(fixture.lab.hosts[0].dp);
		lab_open(&fixture.lab, 0);
	}
	close(a);
}

static void test_no_such_tag(void **state)
{
	struct dp_port port = fixture.a->port;

	port.vlan = 4095;
	lab_enter(&fixture.lab, fixture.lab.hosts[0].netns);
	assert_int_equal(datapath_port_set(fixture.lab.hosts[0].dp, &port), -EINVAL);
	lab_enter(&fixture.lab, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_out, reset),
		cmocka_unit_test_setup(test_in, reset),
		cmocka_unit_test_setup(test_between_tags, reset),
		cmocka_unit_test_setup(test_answers, reset),
		cmocka_unit_test_setup(test_no_such_tag, reset),
	};

	return cmocka_run_group_tests_name("vlan", tests, set_up, tear_down);
}
