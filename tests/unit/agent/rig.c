/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/agent/rig.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "tests/unit/test.h"

/* ---- the manager ---- */

void rig_send(struct rig *r, Viaduct__Agent__Frame__BodyCase kind, void *body)
{
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;

	frame.body_case = kind;
	frame.hello = body; /* all bodies are pointers in one union */
	assert_ok(session_send(pair_server(r->pair), &frame));
	rig_settle(r);
}

static void rig_welcome(struct rig *r, struct session *session)
{
	Viaduct__Agent__Welcome welcome = VIADUCT__AGENT__WELCOME__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;

	welcome.protocol = 1;
	welcome.cluster_id = RIG_CLUSTER;
	welcome.revision = 1;
	welcome.lease_seconds = RIG_LEASE_S;
	welcome.stats_seconds = 10;
	welcome.probe_seconds = r->probe_seconds;
	welcome.pending = !r->older;
	welcome.stale = !r->older;
	welcome.incarnations = !r->older;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_WELCOME;
	frame.welcome = &welcome;
	assert_ok(session_send(session, &frame));
}

static void rig_on_opened(struct session *session, void *user)
{
}

static void rig_on_received(struct session *session, const Viaduct__Agent__Frame *frame, void *user)
{
	struct rig *r = user;
	uint8_t *packed = malloc(viaduct__agent__frame__get_packed_size(frame) + 1);
	size_t size = viaduct__agent__frame__pack(frame, packed);

	assert_true(r->n_frames < RIG_FRAMES_MAX);
	r->frames[r->n_frames++] = viaduct__agent__frame__unpack(NULL, size, packed);
	free(packed);
	if (frame->body_case != VIADUCT__AGENT__FRAME__BODY_HELLO || r->deaf)
		return;
	if (r->refusing)
		session_close(session, VIADUCT__AGENT__GOODBYE__CODE__UNKNOWN_HOST, "who?");
	else
		rig_welcome(r, session);
}

static void rig_on_closed(struct session *session, enum session_end end, const char *text,
			  void *user)
{
}

static const struct session_callbacks rig_callbacks = {
	.opened = rig_on_opened,
	.received = rig_on_received,
	.closed = rig_on_closed,
};

static int rig_dial(void *arg, size_t index, const struct session_callbacks *callbacks, void *user,
		    struct session **ret)
{
	struct rig *r = arg;

	r->n_dials++;
	if (r->unreachable)
		return -EHOSTUNREACH;
	r->pair = pair_free(r->pair);
	assert_ok(pair_new(r->loop, "host-1", callbacks, user, &rig_callbacks, r, &r->pair));
	*ret = pair_client(r->pair);
	return 0;
}

const Viaduct__Agent__Frame *rig_last(const struct rig *r, Viaduct__Agent__Frame__BodyCase kind)
{
	for (size_t i = r->n_frames; i; i--)
		if (r->frames[i - 1]->body_case == kind)
			return r->frames[i - 1];
	return NULL;
}

size_t rig_count(const struct rig *r, Viaduct__Agent__Frame__BodyCase kind)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_frames; i++)
		n += r->frames[i]->body_case == kind;
	return n;
}

const Viaduct__Agent__Ack *rig_ack(const struct rig *r)
{
	const Viaduct__Agent__Frame *f = rig_last(r, VIADUCT__AGENT__FRAME__BODY_ACK);

	assert_non_null(f);
	return f->ack;
}

void rig_forget_frames(struct rig *r)
{
	for (size_t i = 0; i < r->n_frames; i++)
		viaduct__agent__frame__free_unpacked(r->frames[i], NULL);
	r->n_frames = 0;
}

/* ---- the world ---- */

static int rig_open(void *arg, const struct dp_config *config, struct datapath **ret,
		    bool *ret_adopted)
{
	struct rig *r = arg;

	return datapath_open_fake(r->world, config, ret, ret_adopted);
}

static int rig_destroy(void *arg, const struct dp_config *config)
{
	struct rig *r = arg;

	fake_destroy(r->world, config->name);
	return 0;
}

static int rig_probe(void *arg, const struct dp_config *config, struct dp_capabilities *ret)
{
	struct rig *r = arg;

	r->n_probes++;
	if (r->probe_error)
		return r->probe_error;
	*ret = (struct dp_capabilities){.formats = FORMAT_BIT(FORMAT_SIIT_1) |
						   FORMAT_BIT(FORMAT_SIIT_2) |
						   FORMAT_BIT(FORMAT_IPIP6_1),
					.rate = !r->lacks_rate,
					.tcx = true,
					.substrate_mtu = r->substrate_mtu,
					.kernel = "6.18"};
	return 0;
}

static int rig_route(void *arg, const struct ipaddr *target, struct nexthop_way *ret)
{
	struct rig *r = arg;

	if (r->no_route)
		return -ENETUNREACH;
	*ret = (struct nexthop_way){.ifindex = 2, .gateway = r->gateway};
	return 0;
}

static int rig_link(void *arg, int ifindex, struct nexthop_link *ret)
{
	*ret = (struct nexthop_link){.mac = {{0x02, 0, 0, 0, 0, 1}}, .mtu = 1500};
	return 0;
}

static int rig_find(void *arg, const char *name, int *ret_ifindex, struct nexthop_link *ret)
{
	const struct rig *r = arg;
	const int ifindex = strcmp(name, "sub0") ? r->uplink : r->substrate;

	if (!ifindex)
		return -ENODEV;
	*ret_ifindex = ifindex;
	*ret = (struct nexthop_link){.mac = {{0x02, 0, 0, 0, 0, 1}}, .mtu = r->substrate_mtu};
	return 0;
}

static int rig_find_addr(void *arg, const struct ipaddr *addr)
{
	const struct rig *r = arg;

	return r->no_address ? -EADDRNOTAVAIL : 0;
}

static int rig_neighbour(void *arg, const struct nexthop_way *way, struct mac *ret_mac)
{
	struct rig *r = arg;

	if (r->no_neighbour)
		return -ENOENT;
	*ret_mac = (struct mac){{0x02, 0, 0, 0, 0, 2}};
	return 0;
}

static int rig_probe_neighbour(void *arg, const struct nexthop_way *way)
{
	struct rig *r = arg;

	r->n_neighbour_probes++;
	return 0;
}

static int rig_path_mtu(void *arg, const struct ipaddr *target, uint16_t *ret)
{
	*ret = 0;
	return 0;
}

static const struct nexthop_kernel rig_kernel = {
	.route = rig_route,
	.link = rig_link,
	.find = rig_find,
	.find_addr = rig_find_addr,
	.path_mtu = rig_path_mtu,
	.neighbour = rig_neighbour,
	.probe = rig_probe_neighbour,
};

static int rig_announce(void *arg, int ifindex, const struct ipaddr *public)
{
	struct rig *r = arg;

	assert_int_equal(ifindex, r->uplink);
	assert_true(r->n_announced < RIG_ANNOUNCED_MAX);
	r->announced[r->n_announced++] = *public;
	return 0;
}

void rig_init(struct rig *r)
{
	*r = (struct rig){.substrate = 3, .substrate_mtu = 1500};
	log_set_level(LOG_LEVEL_ERR);
	clock_init_manual(&r->clock, CLOCK_NS_PER_S, 1700000000000);
	assert_ok(loop_new(&r->clock, &r->loop));
	assert_ok(fake_world_new(&r->world));
	assert_ok(driver_fake_new(&r->nodes, r->loop, &r->driver));
	assert_ok(ipaddr_parse("fe80::1", &r->gateway));
	arena_init(&r->arena, 1 << 24);
	r->backend = (struct agent_backend){
		.open = rig_open, .destroy = rig_destroy, .probe = rig_probe, .arg = r};
	r->dialer = (struct link_dialer){.dial = rig_dial, .n = 1, .arg = r};
}

void rig_start(struct rig *r)
{
	const struct agent_config config = {
		.loop = r->loop,
		.host_id = "host-1",
		.dialer = r->dialer,
		.backend = &r->backend,
		.dp = {.name = "h1",
		       .max_mappings = r->max_mappings ? r->max_mappings : 1000,
		       .max_flows = 1000,
		       .substrate_ifindex = r->substrate,
		       .uplink_ifindex = r->uplink,
		       .formats = r->formats},
		.announce = rig_announce,
		.substrate = "sub0",
		.uplink = r->uplink ? "up0" : NULL,
		.driver = r->driver,
		.kernel = &rig_kernel,
		.kernel_arg = r,
		.snapshot = r->snapshot,
		.sealing = r->sealing,
	};

	assert_ok(agent_new(&config, &r->agent));
	rig_settle(r);
}

int rig_setup(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));

	rig_init(r);
	rig_start(r);
	rig_desire_all(r);
	*state = r;
	return 0;
}

int rig_teardown(void **state)
{
	rig_deinit(*state);
	free(*state);
	return 0;
}

int rig_setup_saving(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	char directory[] = "/tmp/agent-rig-XXXXXX";

	rig_init(r);
	assert_non_null(mkdtemp(directory));
	assert_true(asprintf(&r->snapshot, "%s/desired", directory) > 0);
	*state = r;
	return 0;
}

int rig_teardown_saving(void **state)
{
	struct rig *r = *state;
	char *directory = strdup(r->snapshot);

	*strrchr(directory, '/') = '\0';
	rig_deinit(r);
	assert_ok(file_remove_tree(directory));
	free(directory);
	free(r);
	return 0;
}

void rig_stop(struct rig *r)
{
	r->agent = agent_free(r->agent);
	rig_settle(r);
	r->pair = pair_free(r->pair);
	rig_settle(r);
}

void rig_deinit(struct rig *r)
{
	rig_stop(r);
	rig_forget_frames(r);
	driver_free(r->driver);
	fake_world_free(r->world);
	arena_deinit(&r->arena);
	loop_free(r->loop);
	free(r->snapshot);
}

void rig_settle(struct rig *r)
{
	assert_ok(loop_settle(r->loop));
}

void rig_advance_ms(struct rig *r, uint64_t ms)
{
	assert_ok(loop_advance(r->loop, ms * CLOCK_NS_PER_MS));
}

void rig_cut(struct rig *r)
{
	pair_cut(r->pair);
	rig_settle(r);
}

/* ---- desired state ---- */

static ProtobufCBinaryData rig_bytes(struct rig *r, const void *data, size_t size)
{
	ProtobufCBinaryData b = {.len = size, .data = arena_alloc(&r->arena, size)};

	assert_non_null(b.data);
	memcpy(b.data, data, size);
	return b;
}

struct ipaddr rig_addr(uint32_t v4)
{
	return ipaddr_from_v4(v4);
}

ProtobufCBinaryData rig_v4(struct rig *r, uint32_t v4)
{
	struct ipaddr a = ipaddr_from_v4(v4);

	return rig_bytes(r, a.b, sizeof(a.b));
}

ProtobufCBinaryData rig_text_addr(struct rig *r, const char *text)
{
	struct ipaddr a;

	assert_ok(ipaddr_parse(text, &a));
	return rig_bytes(r, a.b, sizeof(a.b));
}

void *rig_object(struct rig *r, Viaduct__Agent__Object__ObjectCase kind, size_t size,
		 Viaduct__Agent__Object **ret)
{
	Viaduct__Agent__Object *o = arena_alloc(&r->arena, sizeof(*o));
	void *body = arena_alloc(&r->arena, size);

	assert_non_null(o);
	assert_non_null(body);
	viaduct__agent__object__init(o);
	o->object_case = kind;
	o->host = body; /* all kinds are pointers in one union */
	*ret = o;
	return body;
}

Viaduct__Agent__Object *rig_host(struct rig *r)
{
	Viaduct__Agent__Object *o;
	Viaduct__Agent__HostConfig *m =
		rig_object(r, VIADUCT__AGENT__OBJECT__OBJECT_HOST, sizeof(*m), &o);

	viaduct__agent__host_config__init(m);
	m->number = 1;
	m->name = (char *)(uintptr_t) "h1";
	m->siit2 = rig_text_addr(r, "fd56:6961:8000:100::");
	m->v6 = rig_text_addr(r, "2001:db8::1");
	return o;
}

Viaduct__Agent__Object *rig_peer(struct rig *r, uint32_t number)
{
	Viaduct__Agent__Object *o;
	Viaduct__Agent__Peer *m =
		rig_object(r, VIADUCT__AGENT__OBJECT__OBJECT_PEER, sizeof(*m), &o);
	char locator[64];

	viaduct__agent__peer__init(m);
	m->number = number;
	m->name = (char *)(uintptr_t) "peer";
	snprintf(locator, sizeof(locator), "fd56:6961:8000:%x00::", number);
	m->siit2 = rig_text_addr(r, locator);
	m->v6 = rig_text_addr(r, "2001:db8::2");
	m->send = FORMAT_SIIT_2;
	m->accept = FORMAT_BIT(FORMAT_SIIT_2) | FORMAT_BIT(FORMAT_IPIP6_1);
	m->path_mtu = 1500;
	return o;
}

Viaduct__Agent__Object *rig_subnet(struct rig *r)
{
	Viaduct__Agent__Object *o;
	Viaduct__Agent__Subnet *m =
		rig_object(r, VIADUCT__AGENT__OBJECT__OBJECT_SUBNET, sizeof(*m), &o);

	viaduct__agent__subnet__init(m);
	m->vni = RIG_VNI;
	m->prefix = rig_v4(r, 0x0a000100);
	m->prefix_len = 120;
	m->router = rig_v4(r, 0x0a000101);
	m->router_mac = rig_bytes(r, "\x02\x00\x00\x00\x01\x01", 6);
	m->resolver = rig_v4(r, 0x0a000002);
	m->network = rig_v4(r, 0x0a000000);
	m->network_len = 112;
	m->domain = (char *)(uintptr_t) "ec2.internal";
	return o;
}

Viaduct__Agent__Object *rig_instance(struct rig *r, const char *id, bool running,
				     uint64_t generation)
{
	Viaduct__Agent__Object *o;
	Viaduct__Agent__Instance *m =
		rig_object(r, VIADUCT__AGENT__OBJECT__OBJECT_INSTANCE, sizeof(*m), &o);

	viaduct__agent__instance__init(m);
	m->id = (char *)(uintptr_t)id;
	m->driver = (char *)(uintptr_t) "netns";
	m->running = running;
	m->generation = generation;
	return o;
}

Viaduct__Agent__Object *rig_interface(struct rig *r, const char *id, const char *instance,
				      uint32_t v4)
{
	Viaduct__Agent__Object *o;
	Viaduct__Agent__Interface *m =
		rig_object(r, VIADUCT__AGENT__OBJECT__OBJECT_INTERFACE, sizeof(*m), &o);
	const uint8_t mac[6] = {0x02, 0, 0, 0, (uint8_t)(v4 >> 8), (uint8_t)v4};
	char *name = arena_printf(&r->arena, "ip-%u-%u-%u-%u", v4 >> 24, v4 >> 16 & 0xff,
				  v4 >> 8 & 0xff, v4 & 0xff);

	viaduct__agent__interface__init(m);
	m->id = (char *)(uintptr_t)id;
	m->instance_id = (char *)(uintptr_t)instance;
	m->vni = RIG_VNI;
	m->mac = rig_bytes(r, mac, sizeof(mac));
	m->mtu = 1460;
	m->n_addrs = 1;
	m->addrs = arena_alloc(&r->arena, sizeof(*m->addrs));
	m->addrs[0] = rig_v4(r, v4);
	m->subnet_prefix = rig_v4(r, 0x0a000100);
	m->subnet_prefix_len = 120;
	m->host_name = name;
	m->dns = true;
	return o;
}

Viaduct__Agent__Object *rig_table(struct rig *r, uint32_t number, size_t n_routes)
{
	Viaduct__Agent__Object *o;
	Viaduct__Agent__RouteTable *m =
		rig_object(r, VIADUCT__AGENT__OBJECT__OBJECT_TABLE, sizeof(*m), &o);

	viaduct__agent__route_table__init(m);
	m->number = number;
	m->n_routes = n_routes;
	m->routes = arena_alloc_array(&r->arena, n_routes, sizeof(*m->routes));
	assert_non_null(m->routes);
	for (size_t i = 0; i < n_routes; i++) {
		m->routes[i] = arena_alloc(&r->arena, sizeof(**m->routes));
		assert_non_null(m->routes[i]);
		viaduct__agent__route__init(m->routes[i]);
	}
	return o;
}

void rig_desire(struct rig *r, uint64_t revision, bool full, Viaduct__Agent__Object **objects,
		size_t n)
{
	Viaduct__Agent__Desired desired = VIADUCT__AGENT__DESIRED__INIT;

	desired.revision = revision;
	desired.full = full;
	desired.n_set = n;
	desired.set = objects;
	rig_send(r, VIADUCT__AGENT__FRAME__BODY_DESIRED, &desired);
}

void rig_desire_all(struct rig *r)
{
	Viaduct__Agent__Object *objects[] = {
		rig_host(r),
		rig_peer(r, RIG_PEER),
		rig_subnet(r),
		rig_instance(r, "i-1", true, 1),
		rig_interface(r, "eni-1", "i-1", 0x0a000104),
	};

	rig_desire(r, 10, true, objects, ARRAY_SIZE(objects));
}

/* ---- packets and mappings ---- */

uint32_t rig_port(const struct rig *r)
{
	const struct port *p = ports_find_interface(&r->agent->ports, "eni-1");

	assert_non_null(p);
	return p->dp.id;
}

enum fake_verdict rig_packet(struct rig *r, uint32_t dst, uint32_t number)
{
	const struct ipaddr src = rig_addr(0x0a000104), to = rig_addr(dst);
	enum fake_verdict v =
		fake_send_packet(r->world, "h1", rig_port(r), &src, &to, number, NULL);

	rig_settle(r);
	return v;
}

void rig_answer(struct rig *r, uint32_t host, uint64_t revision)
{
	const Viaduct__Agent__Frame *frame = rig_last(r, VIADUCT__AGENT__FRAME__BODY_RESOLVE);
	Viaduct__Agent__Resolved resolved = VIADUCT__AGENT__RESOLVED__INIT;
	const Viaduct__Agent__Resolve *resolve;

	assert_non_null(frame);
	resolve = frame->resolve;
	resolved.seq = resolve->seq;
	resolved.n_answers = resolve->n_questions;
	resolved.answers =
		arena_alloc_array(&r->arena, resolve->n_questions, sizeof(*resolved.answers));
	for (size_t i = 0; i < resolve->n_questions; i++) {
		Viaduct__Agent__Answer *a = arena_alloc(&r->arena, sizeof(*a));
		Viaduct__Agent__Mapping *m = arena_alloc(&r->arena, sizeof(*m));

		viaduct__agent__answer__init(a);
		viaduct__agent__mapping__init(m);
		a->status = host ? VIADUCT__AGENT__ANSWER__STATUS__OK
				 : VIADUCT__AGENT__ANSWER__STATUS__REFUSED;
		if (host) {
			m->vni = resolve->questions[i]->vni;
			m->addr = resolve->questions[i]->addr;
			m->host = host;
			m->revision = revision;
			a->mapping = m;
		}
		resolved.answers[i] = a;
	}
	rig_send(r, VIADUCT__AGENT__FRAME__BODY_RESOLVED, &resolved);
}

void rig_push(struct rig *r, Viaduct__Agent__Mapping *mapping)
{
	Viaduct__Agent__Update update = VIADUCT__AGENT__UPDATE__INIT;

	update.revision = mapping->revision;
	update.n_mappings = 1;
	update.mappings = &mapping;
	rig_send(r, VIADUCT__AGENT__FRAME__BODY_UPDATE, &update);
}

void rig_update(struct rig *r, uint32_t addr, uint32_t host, uint64_t revision, bool gone)
{
	Viaduct__Agent__Mapping mapping = VIADUCT__AGENT__MAPPING__INIT;

	mapping.vni = RIG_VNI;
	mapping.addr = rig_v4(r, addr);
	mapping.host = host;
	mapping.revision = revision;
	mapping.gone = gone;
	rig_push(r, &mapping);
}
