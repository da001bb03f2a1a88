/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snapshot.h"

#include "agent/convert.h"
#include "base/arena.h"
#include "base/file.h"
#include "base/limits.h"

/* The messages are built in an arena and point into the tables. */
struct snapshot {
	struct arena arena;
	Viaduct__Agent__Object **objects;
	size_t n;
};

static Viaduct__Agent__Object *snapshot_object(struct snapshot *s,
					       Viaduct__Agent__Object__ObjectCase kind)
{
	Viaduct__Agent__Object *o = arena_alloc(&s->arena, sizeof(*o));

	if (!o)
		return NULL;
	viaduct__agent__object__init(o);
	o->object_case = kind;
	s->objects[s->n++] = o;
	return o;
}

static char *snapshot_text(const char *text)
{
	return (char *)(uintptr_t)text;
}

static ProtobufCBinaryData snapshot_optional(const struct ipaddr *a)
{
	return ipaddr_is_zero(a) ? (ProtobufCBinaryData){0} : convert_bytes(a);
}

static ProtobufCBinaryData snapshot_locator(const struct prefix *p)
{
	return p->len ? convert_bytes(&p->addr) : (ProtobufCBinaryData){0};
}

static ProtobufCBinaryData snapshot_mac(const struct mac *m)
{
	return (ProtobufCBinaryData){.len = sizeof(m->b), .data = (uint8_t *)(uintptr_t)m->b};
}

static int snapshot_host(struct snapshot *s, const struct desired_host *h)
{
	Viaduct__Agent__Object *o = snapshot_object(s, VIADUCT__AGENT__OBJECT__OBJECT_HOST);
	Viaduct__Agent__HostConfig *m = arena_alloc(&s->arena, sizeof(*m));

	if (!o || !m)
		return -ENOMEM;
	viaduct__agent__host_config__init(m);
	o->host = m;
	m->number = h->number;
	m->name = snapshot_text(h->name);
	m->siit1 = snapshot_locator(&h->siit1);
	m->siit2 = snapshot_locator(&h->siit2);
	m->v4 = snapshot_optional(&h->v4);
	m->v6 = snapshot_optional(&h->v6);
	return 0;
}

static int snapshot_peer(struct snapshot *s, const struct desired_peer *p)
{
	Viaduct__Agent__Object *o = snapshot_object(s, VIADUCT__AGENT__OBJECT__OBJECT_PEER);
	Viaduct__Agent__Peer *m = arena_alloc(&s->arena, sizeof(*m));

	if (!o || !m)
		return -ENOMEM;
	viaduct__agent__peer__init(m);
	o->peer = m;
	m->number = p->dp.id;
	m->name = snapshot_text(p->name);
	m->siit1 = snapshot_locator(&p->dp.siit1);
	m->siit2 = snapshot_locator(&p->dp.siit2);
	m->v4 = snapshot_optional(&p->dp.v4);
	m->v6 = snapshot_optional(&p->dp.v6);
	m->send = p->dp.send;
	m->accept = p->dp.accept;
	m->path_mtu = p->dp.path_mtu;
	m->vxlan_over_v6 = p->dp.vxlan_over_v6;
	m->reason = snapshot_text(p->reason);
	return 0;
}

static int snapshot_subnet(struct snapshot *s, const struct desired_subnet *n)
{
	Viaduct__Agent__Object *o = snapshot_object(s, VIADUCT__AGENT__OBJECT__OBJECT_SUBNET);
	Viaduct__Agent__Subnet *m = arena_alloc(&s->arena, sizeof(*m));

	if (!o || !m)
		return -ENOMEM;
	viaduct__agent__subnet__init(m);
	o->subnet = m;
	m->vni = n->dp.vni;
	m->prefix = convert_bytes(&n->dp.prefix.addr);
	m->prefix_len = n->dp.prefix.len;
	m->router = convert_bytes(&n->dp.router);
	m->router_mac = snapshot_mac(&n->dp.router_mac);
	m->resolver = snapshot_optional(&n->dp.resolver);
	m->network = snapshot_locator(&n->network);
	m->network_len = n->network.len;
	m->domain = snapshot_text(n->domain);
	return 0;
}

static int snapshot_instance(struct snapshot *s, const struct desired_instance *i)
{
	Viaduct__Agent__Object *o = snapshot_object(s, VIADUCT__AGENT__OBJECT__OBJECT_INSTANCE);
	Viaduct__Agent__Instance *m = arena_alloc(&s->arena, sizeof(*m));

	if (!o || !m)
		return -ENOMEM;
	viaduct__agent__instance__init(m);
	o->instance = m;
	m->id = snapshot_text(i->id);
	m->driver = snapshot_text(i->driver);
	m->name = snapshot_text(i->name);
	m->running = i->running;
	m->generation = i->generation;
	return 0;
}

static int snapshot_interface(struct snapshot *s, const struct desired_interface *i)
{
	Viaduct__Agent__Object *o = snapshot_object(s, VIADUCT__AGENT__OBJECT__OBJECT_INTERFACE);
	Viaduct__Agent__Interface *m = arena_alloc(&s->arena, sizeof(*m));
	ProtobufCBinaryData *addrs = arena_alloc_array(&s->arena, i->n_addrs, sizeof(*addrs));

	if (!o || !m || !addrs)
		return -ENOMEM;
	viaduct__agent__interface__init(m);
	o->interface = m;
	for (uint32_t n = 0; n < i->n_addrs; n++)
		addrs[n] = convert_bytes(&i->addrs[n]);
	m->addrs = addrs;
	m->n_addrs = i->n_addrs;
	m->id = snapshot_text(i->driver.id);
	m->instance_id = snapshot_text(i->instance_id);
	m->device_index = i->driver.device_index;
	m->vni = i->vni;
	m->mac = snapshot_mac(&i->driver.mac);
	m->mtu = i->driver.mtu;
	m->subnet_prefix = convert_bytes(&i->subnet.addr);
	m->subnet_prefix_len = i->subnet.len;
	m->host_name = snapshot_text(i->host_name);
	m->dns = i->dns;
	return 0;
}

static int snapshot_build(struct snapshot *s, const struct desired *d)
{
	const struct desired_peer *p;
	const struct desired_subnet *n;
	const struct desired_instance *i;
	const struct desired_interface *f;
	size_t max = 1 + hmap_count(&d->peers) + hmap_count(&d->subnets) +
		     hmap_count(&d->instances) + hmap_count(&d->interfaces);
	int e = 0;

	s->objects = arena_alloc_array(&s->arena, max, sizeof(*s->objects));
	if (!s->objects)
		return -ENOMEM;
	if (d->host.set)
		e = snapshot_host(s, &d->host);
	hmap_for_each (p, &d->peers, node)
		e = e ?: snapshot_peer(s, p);
	hmap_for_each (n, &d->subnets, node)
		e = e ?: snapshot_subnet(s, n);
	hmap_for_each (i, &d->instances, node)
		e = e ?: snapshot_instance(s, i);
	hmap_for_each (f, &d->interfaces, node)
		e = e ?: snapshot_interface(s, f);
	return e;
}

static int snapshot_pack(struct buf *b, const struct snapshot *s, uint64_t cluster_id,
			 uint64_t revision)
{
	Viaduct__Agent__Welcome welcome = VIADUCT__AGENT__WELCOME__INIT;
	Viaduct__Agent__Desired desired = VIADUCT__AGENT__DESIRED__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;
	int e;

	welcome.cluster_id = cluster_id;
	welcome.revision = revision;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_WELCOME;
	frame.welcome = &welcome;
	e = frame_pack(b, &frame);
	if (e)
		return e;
	desired.revision = revision;
	desired.full = true;
	desired.n_set = s->n;
	desired.set = s->objects;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_DESIRED;
	frame.desired = &desired;
	return frame_pack(b, &frame);
}

int snapshot_write(const char *path, const struct desired *d, uint64_t cluster_id,
		   uint64_t revision)
{
	struct snapshot s = {0};
	_cleanup_buf_ struct buf b;
	int e;

	arena_init(&s.arena, LIMIT_WIRE_DECODE_SIZE);
	buf_init(&b, 2 * LIMIT_WIRE_FRAME_SIZE);
	e = snapshot_build(&s, d);
	if (!e)
		e = snapshot_pack(&b, &s, cluster_id, revision);
	if (!e)
		e = file_write_atomic(path, buf_data(&b), buf_size(&b), 0600);
	arena_deinit(&s.arena);
	return e;
}

/* ---- reading ---- */

/* Decodes the record at '*at' and moves '*at' behind it. */
static int snapshot_next(struct frame_decoder *decoder, const uint8_t **at, size_t *left,
			 const Viaduct__Agent__Frame **ret)
{
	size_t size;
	int e = frame_measure(*at, *left, &size);

	if (e || size > *left)
		return -EBADMSG;
	e = frame_decode(decoder, *at + FRAME_HEADER_SIZE, size - FRAME_HEADER_SIZE, ret);
	*at += size;
	*left -= size;
	return e;
}

int snapshot_read(const char *path, snapshot_fn fn, void *arg)
{
	_cleanup_free_ char *text = NULL;
	struct frame_decoder *decoder = NULL;
	const Viaduct__Agent__Frame *frame;
	const uint8_t *at;
	uint64_t cluster_id = 0;
	size_t left;
	int e;

	e = file_read(path, 2 * LIMIT_WIRE_FRAME_SIZE, &text, &left);
	if (e)
		return e;
	e = frame_decoder_new(&decoder);
	if (e)
		return e;
	at = (const uint8_t *)text;
	e = snapshot_next(decoder, &at, &left, &frame);
	if (!e && frame->body_case != VIADUCT__AGENT__FRAME__BODY_WELCOME)
		e = -EBADMSG;
	if (!e) {
		cluster_id = frame->welcome->cluster_id;
		e = snapshot_next(decoder, &at, &left, &frame);
	}
	if (!e && (frame->body_case != VIADUCT__AGENT__FRAME__BODY_DESIRED || left))
		e = -EBADMSG;
	if (!e)
		e = fn(cluster_id, frame->desired, arg);
	frame_decoder_free(decoder);
	return e;
}
