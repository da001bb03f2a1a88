/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The programs of this build in the place of those that run, device by device: each of them sees
 * the same tables as the one that it replaces, or what was carried over from them, and no packet is
 * without one.
 */
#include <errno.h>
#include <stdio.h>

#include "datapath/bpf_layout.h"
#include "datapath/bpf_skel.h"

static int activate_port(struct bpf_host *h, uint32_t slot, const struct dp_port *p)
{
	char name[32];
	int r;

	snprintf(name, sizeof(name), "port_%u", p->id);
	r = bpf_attach_set_port(h, name, p->ifindex, bpf_program__fd(h->skel->progs.port));
	h->attached[slot] = !r;
	if (!r)
		bpf_headroom_give(h->headroom_ifindex, p->ifindex);
	if (!r && bpf_port_is_watched(p))
		r = bpf_port_watch(h, p);
	return r == -ENODEV ? 0 : r; /* the node went while nobody looked: for the agent */
}

/* Programs that a trial has left out stand nowhere. */
static int set(struct bpf_host *h, const char *name, int ifindex, const struct bpf_program *program)
{
	if (!ifindex || !bpf_program__autoload(program))
		return 0;
	return bpf_attach_set(h, name, ifindex, bpf_program__fd(program));
}

static int replace_programs(struct bpf_host *h)
{
	int r = set(h, "upcall", h->upcall_ifindex, h->skel->progs.handed);

	if (!r)
		r = set(h, "opened", h->seal_ifindex, h->skel->progs.handed);
	if (!r)
		r = set(h, "tunnel", h->vxlan_ifindex, h->skel->progs.tunnel);
	if (!r)
		r = set(h, "tunnel_geneve", h->geneve_ifindex, h->skel->progs.tunnel);
	if (!r)
		r = set(h, "substrate", h->substrate_ifindex, h->skel->progs.substrate);
	if (!r)
		r = set(h, "uplink", h->uplink_ifindex, h->skel->progs.uplink);
	for (uint32_t slot = 1; slot < DP_SLOTS_MAX && !r; slot++)
		if (h->mirror[slot])
			r = activate_port(h, slot, h->mirror[slot]);
	return r;
}

int bpf_activate(struct datapath *dp)
{
	struct bpf_host *h = bpf_host_of(dp);
	int r = bpf_layout_begin(h);

	if (!r)
		r = replace_programs(h);
	h->active = !r;
	return r ? r : bpf_layout_finish(h);
}

/* Of an earlier build's programs, too: what it had there went with the device. */
int bpf_substrate_set(struct datapath *dp, int ifindex)
{
	struct bpf_host *h = bpf_host_of(dp);
	int r = bpf_attach_set(h, "substrate", ifindex, bpf_program__fd(h->skel->progs.substrate));

	if (!r)
		h->substrate_ifindex = ifindex;
	return r;
}
