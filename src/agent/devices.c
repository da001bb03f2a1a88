/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's own devices, the substrate's and an edge's uplink, followed by their names: one that
 * is deleted and made again (a bond or VLAN that the host's network manager makes anew) is another
 * device to the kernel, without our programs.  While it is away the host says so to whoever asks,
 * as a fault of its capabilities; everything else stays as it is.  So does a host without the
 * substrate address that the manager has for it, as a doubt.
 */
#include <stdio.h>
#include <string.h>

#include "agent/agent.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/str.h"

/* ---- the two ---- */

static int devices_follow_substrate(struct agent *a, int ifindex)
{
	a->config.dp.substrate_ifindex = ifindex;
	a->dp_config.substrate_ifindex = ifindex;
	return a->dp ? datapath_substrate_set(a->dp, ifindex) : 0;
}

/* The programs are told of it when they are loaded. */
static int devices_follow_uplink(struct agent *a, int ifindex)
{
	int e;

	a->config.dp.uplink_ifindex = ifindex;
	a->announcer.ifindex = ifindex;
	e = a->dp ? agent_open_plane(a) : 0;
	if (!e)
		sync_again(a);
	return e;
}

static const struct {
	const char *text;
	int (*follow)(struct agent *a, int ifindex);
} devices_kinds[DEVICES] = {
	[DEVICE_SUBSTRATE] = {"the substrate interface", devices_follow_substrate},
	[DEVICE_UPLINK] = {"the uplink", devices_follow_uplink},
};

/* ---- looking ---- */

static void devices_soon(struct agent *a, uint64_t ms)
{
	if (!timer_armed(&a->look_at_devices))
		timer_arm_in(&a->look_at_devices, ms * CLOCK_NS_PER_MS);
}

void agent_tell_fault(struct agent *a)
{
	char text[PROBE_FAULT_SIZE] = "";

	for (size_t k = 0; k < DEVICES && !*text; k++)
		if (a->devices[k].away)
			snprintf(
				text, sizeof(text),
				"%s %s is gone: the agent goes on by itself when it is there again",
				devices_kinds[k].text, a->devices[k].name);
	if (!*text && !a->dp && a->desired.host.set)
		snprintf(text, sizeof(text), "%s", a->plane_error);
	if (probe_set_fault(&a->probe, text))
		agent_send_capabilities(a);
}

/* The addresses that others send to.  What makes the instances' packets arrive without them, such
 * as routes for the locators alone, is no fault, so the host is only said to be suspect. */
static void devices_look_at_addresses(struct agent *a)
{
	const struct desired_host *host = &a->desired.host;
	const struct ipaddr *own[] = {&host->v6, &host->v4};
	char text[PROBE_FAULT_SIZE] = "", addr[IPADDR_TEXT_SIZE];

	for (size_t i = 0; host->set && i < ARRAY_SIZE(own) && !*text; i++)
		if (!ipaddr_is_zero(own[i]) &&
		    a->config.kernel->find_addr(a->config.kernel_arg, own[i]) == -EADDRNOTAVAIL)
			snprintf(text, sizeof(text),
				 "no device here has %s, the address that the host was added with",
				 ipaddr_text(own[i], addr));
	if (!probe_set_doubt(&a->probe, text))
		return;
	if (*text)
		log_warn("others may not reach this host", LOG_STR("reason", text));
	agent_send_capabilities(a);
}

static void devices_lost(struct agent *a, size_t k)
{
	struct device *d = &a->devices[k];

	if (!d->away)
		log_err("a device is gone", LOG_STR("device", d->name));
	d->away = d->anew = true;
	agent_tell_fault(a);
}

static void devices_found(struct agent *a, size_t k, int ifindex)
{
	struct device *d = &a->devices[k];
	int e = devices_kinds[k].follow(a, ifindex);

	if (e) {
		log_err("a device cannot be used", LOG_STR("device", d->name), LOG_ERRNO(e));
		d->away = d->anew = true;
		devices_soon(a, LIMIT_AGENT_NEXTHOP_SEARCH_MS);
	} else {
		log_warn("a device was made anew and is used again", LOG_STR("device", d->name),
			 LOG_U64("ifindex", (uint64_t)ifindex));
		d->ifindex = ifindex;
		d->away = d->anew = false;
		nexthops_changed(&a->nexthops);
		probe_start(&a->probe);
	}
	agent_tell_fault(a);
}

static void devices_look_at(struct agent *a, size_t k)
{
	struct device *d = &a->devices[k];
	struct nexthop_link link;
	int ifindex;

	if (a->config.kernel->find(a->config.kernel_arg, d->name, &ifindex, &link))
		devices_lost(a, k);
	else if (d->anew || ifindex != d->ifindex)
		devices_found(a, k, ifindex);
	else if (k == DEVICE_SUBSTRATE && a->probe.probed_at && !a->probe.running &&
		 link.mtu != a->probe.confirmed.substrate_mtu)
		probe_start(&a->probe);
}

static void devices_on_look(struct timer *t, void *data)
{
	struct agent *a = data;

	for (size_t k = 0; k < DEVICES; k++)
		if (a->devices[k].name)
			devices_look_at(a, k);
	devices_look_at_addresses(a);
}

void devices_host_changed(struct agent *a)
{
	devices_soon(a, LIMIT_AGENT_NEXTHOP_SWARM_MS);
}

static bool devices_is_own(const struct agent *a, const struct ipaddr *addr)
{
	const struct desired_host *host = &a->desired.host;

	return host->set && (ipaddr_equal(addr, &host->v6) || ipaddr_equal(addr, &host->v4));
}

void agent_network_changed(struct agent *a, const struct rtnl_event *e)
{
	bool ours = e->kind == RTNL_EVENT_LOST ||
		    (e->kind == RTNL_EVENT_ADDR && devices_is_own(a, &e->addr.addr));

	nexthops_changed(&a->nexthops);
	for (size_t k = 0; k < DEVICES; k++) {
		struct device *d = &a->devices[k];

		if (e->kind == RTNL_EVENT_LINK && e->deleted && e->link.ifindex == d->ifindex)
			d->anew = true; /* also if it comes back with the same number */
		if (d->name && e->kind == RTNL_EVENT_LINK)
			ours |= e->link.ifindex == d->ifindex || str_equal(e->link.name, d->name);
	}
	if (ours)
		devices_soon(a, LIMIT_AGENT_NEXTHOP_SWARM_MS);
}

void devices_init(struct agent *a)
{
	a->devices[DEVICE_SUBSTRATE] = (struct device){.name = a->config.substrate,
						       .ifindex = a->config.dp.substrate_ifindex};
	a->devices[DEVICE_UPLINK] =
		(struct device){.name = a->config.uplink, .ifindex = a->config.dp.uplink_ifindex};
	timer_init(&a->look_at_devices, a->loop, devices_on_look, a);
	/* What changed since the numbers were looked up is not told. */
	devices_soon(a, LIMIT_AGENT_NEXTHOP_SWARM_MS);
}

void devices_deinit(struct agent *a)
{
	timer_deinit(&a->look_at_devices);
}
