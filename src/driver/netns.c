/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/netns.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/str.h"
#include "driver/address4.h"
#include "driver/addresses6.h"
#include "driver/client.h"
#include "driver/inmates.h"
#include "driver/pair.h"
#include "driver/record.h"
#include "driver/workers.h"
#include "net/netns.h"
#include "net/rtnl.h"
#include "net/sysctl.h"

struct driver_netns {
	struct driver driver; /* first: the contract's part */
	char *records, *resolv, *script, *netns_dir, *prefix;
	struct driver_workers *workers; /* NULL: it was opened without a loop */
};

static struct driver_netns *driver_netns_of(struct driver *d)
{
	return container_of(d, struct driver_netns, driver);
}

void driver_netns_device(const char *interface, char ret[static DRIVER_NETNS_DEVICE_SIZE])
{
	uint64_t h =
		UINT64_C(0xcbf29ce484222325); /* FNV-1a: the same name in every life of the agent */

	for (; *interface; interface++)
		h = (h ^ (uint8_t)*interface) * UINT64_C(0x100000001b3);
	snprintf(ret, DRIVER_NETNS_DEVICE_SIZE, "vd%013" PRIx64, h & ((UINT64_C(1) << 52) - 1));
}

static int driver_netns_resolv(const struct driver_netns *dn, const char *node, char **ret)
{
	return str_printf(ret, "%s/%s.conf", dn->resolv, node);
}

/* Opens the node's namespace.  -ENOENT: it is not there, or only the name of it is. */
static int driver_netns_enter(const struct driver_netns *dn, const char *node, int *ret_fd)
{
	_cleanup_free_ char *name = NULL;
	int e = str_printf(&name, "%s%s", dn->prefix, node);

	if (e)
		return e;
	e = netns_open(dn->netns_dir, name, ret_fd);
	return e == -EINVAL ? -ENOENT : e;
}

static int driver_netns_unbind(const struct driver_netns *dn, const char *node)
{
	_cleanup_free_ char *name = NULL;
	int e = str_printf(&name, "%s%s", dn->prefix, node);

	if (!e)
		e = netns_delete(dn->netns_dir, name);
	return e == -ENOENT ? 0 : e;
}

static int driver_netns_bind(const struct driver_netns *dn, const char *node)
{
	_cleanup_free_ char *name = NULL;
	_cleanup_close_ int fd = -1;
	int e = str_printf(&name, "%s%s", dn->prefix, node);

	if (!e)
		e = netns_create(dn->netns_dir, name);
	if (!e)
		e = netns_open(dn->netns_dir, name, &fd);
	/* A node is an end point: it routes only when its user says so.  It believes its network's
	 * router, also when it routes itself; nobody else's advertisements are let through. */
	if (!e)
		e = sysctl_set(fd, "ipv4/ip_forward", "0");
	if (!e)
		e = sysctl_set(fd, "ipv6/conf/default/accept_ra", "2");
	return e == -EEXIST ? 0 : e;
}

/* Does a node other than 'node' have it, by its record? */
static bool driver_netns_is_elsewhere(const struct driver_netns *dn, const char *node,
				      const char *interface)
{
	_cleanup_(strv_free_cleanup) char **ids = NULL;
	bool found = false;

	if (record_list(dn->records, &ids))
		return false;
	for (size_t i = 0; ids[i] && !found; i++) {
		_cleanup_record_ struct record r = {0};

		if (driver_id_is_valid(ids[i]) && !str_equal(ids[i], node) &&
		    !record_read(dn->records, ids[i], &r))
			found = record_find(&r, interface);
	}
	return found;
}

/* Takes the interface from the node.  Another one may have been given it meanwhile: the host's end
 * is that one's then, and stays. */
static int driver_netns_take_device(const struct driver_netns *dn, const char *node,
				    const char *interface)
{
	_cleanup_close_ int fd = -1;
	int e = driver_netns_enter(dn, node, &fd);

	if (!e)
		e = pair_delete_inside(fd, interface);
	/* Its user may have moved or renamed what is inside, or the namespace is gone. */
	if (rtnl_is_gone(e))
		e = driver_netns_is_elsewhere(dn, node, interface) ? 0 : pair_delete(interface);
	return e;
}

/* Whatever is left of the node on this host goes; each step also when another one failed. */
static int driver_netns_clean(struct driver_netns *dn, struct record *r)
{
	_cleanup_close_ int fd = -1;
	_cleanup_free_ char *resolv = NULL;
	int e = 0, step;

	if (!driver_netns_enter(dn, r->node.id, &fd))
		e = inmates_kill(fd, LIMIT_NODE_STOP_MS);
	while (r->n_interfaces) {
		client_stop(&r->interfaces[0]);
		step = driver_netns_take_device(dn, r->node.id, r->interfaces[0].interface.id);
		e = e ?: step;
		record_remove(r, r->interfaces[0].interface.id);
	}
	step = driver_netns_unbind(dn, r->node.id);
	e = e ?: step;
	if (!driver_netns_resolv(dn, r->node.id, &resolv))
		unlink(resolv);
	return e;
}

static int driver_netns_start(struct driver *d, const char *node, uint64_t generation)
{
	struct driver_netns *dn = driver_netns_of(d);
	_cleanup_record_ struct record r = {0};
	int e;

	e = record_read(dn->records, node, &r);
	if (e == -ENOENT || e == -EBADMSG)
		e = str_copy(r.node.id, sizeof(r.node.id), node);
	else if (!e && r.starting)
		e = driver_netns_clean(dn, &r);
	if (e)
		return e;
	/* Recorded before it is made, so that a crash in between leaves nothing unknown. */
	r.node.generation = generation;
	r.starting = !r.node.running;
	e = record_write(dn->records, &r);
	if (!e)
		e = driver_netns_bind(dn, node);
	r.starting = false;
	r.node.running = !e;
	if (!e)
		return record_note(dn->records, &r);
	(void)!driver_netns_clean(dn, &r);
	(void)!record_write(dn->records, &r);
	return e;
}

static int driver_netns_stop(struct driver *d, const char *node)
{
	struct driver_netns *dn = driver_netns_of(d);
	_cleanup_record_ struct record r = {0};
	int e = record_read(dn->records, node, &r);

	if (e)
		return e == -ENOENT ? 0 : e;
	e = driver_netns_clean(dn, &r);
	if (e || (!r.node.running && !r.starting))
		return e;
	r.node.running = r.starting = false;
	return record_write(dn->records, &r);
}

static int driver_netns_forget(struct driver *d, const char *node)
{
	struct driver_netns *dn = driver_netns_of(d);
	_cleanup_record_ struct record r = {0};
	int e = record_read(dn->records, node, &r);

	if (e == -ENOENT || e == -EBADMSG)
		e = str_copy(r.node.id, sizeof(r.node.id), node);
	if (!e)
		e = driver_netns_clean(dn, &r);
	return e ?: record_delete(dn->records, node);
}

static int driver_netns_check(struct driver *d, const char *node, struct driver_node *ret)
{
	struct driver_netns *dn = driver_netns_of(d);
	_cleanup_record_ struct record r = {0};
	_cleanup_close_ int fd = -1;
	int e = record_read(dn->records, node, &r);

	if (!e && r.starting)
		return -ENOENT;
	if (!e && r.node.running) {
		e = driver_netns_enter(dn, node, &fd);
		if (e == -ENOENT) {
			e = driver_netns_stop(d, node);
			r.node.running = false;
		}
	}
	if (e)
		return e;
	*ret = r.node;
	return 0;
}

/* The host's end, when the pair is there, whole, as it was asked for and recorded; else -ENODEV. */
static int driver_netns_standing(struct rtnl *host, const struct record_interface *ri,
				 const struct driver_interface *asked, struct rtnl_link *ret)
{
	char device[DRIVER_NETNS_DEVICE_SIZE];

	if (!ri || !mac_equal(&ri->interface.mac, &asked->mac) ||
	    ri->interface.device_index != asked->device_index)
		return -ENODEV;
	driver_netns_device(asked->id, device);
	return rtnl_link_find(host, device, ret);
}

/* It is not online yet, and may have been cut off while it was made. */
static int driver_netns_make_ready(int netns_fd, const struct driver_interface *interface)
{
	char device[DRIVER_NETNS_DEVICE_SIZE];

	driver_netns_device(interface->id, device);
	return pair_make_ready(netns_fd, interface, device);
}

static int driver_netns_make(struct driver_netns *dn, struct rtnl *host, int netns_fd,
			     struct record *r, const struct driver_interface *interface,
			     struct rtnl_link *ret)
{
	char device[DRIVER_NETNS_DEVICE_SIZE];
	struct record_interface *ri = record_find(r, interface->id);
	int e;

	if (ri)
		client_stop(ri);
	record_remove(r, interface->id);
	e = pair_delete(interface->id);
	if (!e)
		e = record_add(r, interface, &ri);
	if (!e)
		e = record_note(dn->records, r);
	if (e)
		return e;
	driver_netns_device(interface->id, device);
	e = pair_create(host, netns_fd, interface, device);
	if (!e)
		e = rtnl_link_find(host, device, ret);
	if (e)
		(void)!pair_delete(interface->id);
	return e;
}

static int driver_netns_plug(struct driver *d, const char *node,
			     const struct driver_interface *interface, struct driver_port *ret)
{
	struct driver_netns *dn = driver_netns_of(d);
	_cleanup_(rtnl_close_cleanup) struct rtnl *host = NULL;
	_cleanup_record_ struct record r = {0};
	_cleanup_close_ int fd = -1;
	struct record_interface *ri;
	struct rtnl_link link;
	int e;

	e = record_read(dn->records, node, &r);
	if (!e && !r.node.running)
		e = -ENOENT;
	if (!e)
		e = driver_netns_enter(dn, node, &fd);
	if (!e)
		e = rtnl_open(&host);
	if (e)
		return e;
	ri = record_find(&r, interface->id);
	e = driver_netns_standing(host, ri, interface, &link);
	if (!e && !link.up)
		e = driver_netns_make_ready(fd, interface);
	if (e == -ENODEV) {
		e = driver_netns_make(dn, host, fd, &r, interface, &link);
	} else if (!e && (ri->interface.mtu != interface->mtu || link.mtu != interface->mtu)) {
		e = pair_set_mtu(host, fd, interface, link.ifindex);
		ri->interface.mtu = interface->mtu;
		e = e ?: record_note(dn->records, &r);
	}
	if (e)
		return e;
	*ret = (struct driver_port){.ifindex = link.ifindex, .peer_redirect = true};
	return 0;
}

static int driver_netns_open(struct driver *d, const char *node, const char *interface)
{
	struct driver_netns *dn = driver_netns_of(d);
	_cleanup_record_ struct record r = {0};
	int e = record_read(dn->records, node, &r);

	if (!e && !record_find(&r, interface))
		e = -ENOENT;
	return e ?: pair_open(interface);
}

static int driver_netns_online(struct driver *d, const char *node, const char *interface,
			       const struct driver_address *address)
{
	struct driver_netns *dn = driver_netns_of(d);
	_cleanup_record_ struct record r = {0};
	_cleanup_free_ char *resolv = NULL;
	_cleanup_close_ int fd = -1;
	struct record_interface *ri;
	int e;

	e = record_read(dn->records, node, &r);
	if (e)
		return e;
	ri = record_find(&r, interface);
	if (!ri)
		return -ENOENT;
	if (client_is_running(ri))
		return 0;
	e = driver_netns_enter(dn, node, &fd);
	if (!e)
		e = driver_netns_resolv(dn, node, &resolv);
	if (e)
		return e;

	const bool configured = address && address4_is_set(ri->interface.device_index);
	const struct client_spec spec = {.script = dn->script,
					 .resolv_conf = resolv,
					 .netns_fd = fd,
					 .device_index = ri->interface.device_index,
					 .host_name = node,
					 .configured = configured};

	e = pair_open(interface);
	if (!e && configured)
		e = address4_set(fd, ri->interface.device_index, address);
	if (!e)
		e = client_start(&spec, ri);
	if (!e)
		e = record_note(dn->records, &r);
	if (e)
		client_stop(ri);
	return e;
}

/* Set from outside: Debian 12 has no DHCPv6 client that leaves the files of the host alone. */
static int driver_netns_addresses6(struct driver *d, const char *node, const char *interface,
				   const struct ipaddr *addrs, size_t n)
{
	struct driver_netns *dn = driver_netns_of(d);
	_cleanup_record_ struct record r = {0};
	_cleanup_close_ int fd = -1;
	const struct record_interface *ri;
	int e = record_read(dn->records, node, &r);

	if (e)
		return e;
	ri = record_find(&r, interface);
	if (!ri)
		return -ENOENT;
	e = driver_netns_enter(dn, node, &fd);
	return e ?: addresses6_set(fd, ri->interface.device_index, addrs, n);
}

static int driver_netns_unplug(struct driver *d, const char *node, const char *interface)
{
	struct driver_netns *dn = driver_netns_of(d);
	_cleanup_record_ struct record r = {0};
	struct record_interface *ri;
	int e = record_read(dn->records, node, &r);

	if (e)
		return e == -ENOENT ? 0 : e;
	ri = record_find(&r, interface);
	if (!ri)
		return 0;
	client_stop(ri);
	e = driver_netns_take_device(dn, node, interface);
	if (e)
		return e;
	record_remove(&r, interface);
	return record_note(dn->records, &r);
}

static int driver_netns_nodes(struct driver *d, driver_node_fn fn, void *arg)
{
	struct driver_netns *dn = driver_netns_of(d);
	_cleanup_(strv_free_cleanup) char **ids = NULL;
	int e = record_list(dn->records, &ids);

	for (size_t i = 0; !e && ids[i]; i++)
		if (driver_id_is_valid(ids[i])) /* else not a file of ours */
			e = fn(ids[i], arg);
	return e;
}

static int driver_netns_interfaces(struct driver *d, const char *node, driver_interface_fn fn,
				   void *arg)
{
	struct driver_netns *dn = driver_netns_of(d);
	_cleanup_record_ struct record r = {0};
	int e = record_read(dn->records, node, &r);

	if (e)
		return e == -ENOENT ? 0 : e;
	for (size_t i = 0; !e && i < r.n_interfaces; i++)
		e = fn(&r.interfaces[i].interface, arg);
	return e;
}

static void driver_netns_submit(struct driver *d, struct driver_job *job)
{
	driver_workers_submit(driver_netns_of(d)->workers, job);
}

static void driver_netns_halt(struct driver *d)
{
	driver_workers_halt(driver_netns_of(d)->workers);
}

static void driver_netns_free(struct driver *d)
{
	struct driver_netns *dn = driver_netns_of(d);

	driver_workers_free(dn->workers);
	free(dn->records);
	free(dn->resolv);
	free(dn->script);
	free(dn->netns_dir);
	free(dn->prefix);
	free(dn);
}

static const struct driver_ops driver_netns_ops = {
	.start = driver_netns_start,
	.stop = driver_netns_stop,
	.forget = driver_netns_forget,
	.check = driver_netns_check,
	.plug = driver_netns_plug,
	.open = driver_netns_open,
	.online = driver_netns_online,
	.addresses6 = driver_netns_addresses6,
	.unplug = driver_netns_unplug,
	.nodes = driver_netns_nodes,
	.interfaces = driver_netns_interfaces,
	.submit = driver_netns_submit,
	.halt = driver_netns_halt,
	.free = driver_netns_free,
};

/* The machine's reboot did not stop what ran, it cut it off: it is to be started again.  Nothing
 * else of it is left, and its clients' numbers may be other processes' now. */
static int driver_netns_cut_off(struct driver_netns *dn, const char *node)
{
	_cleanup_record_ struct record r = {0};
	_cleanup_close_ int fd = -1;
	int e = record_read(dn->records, node, &r);

	if (e)
		return e == -EBADMSG ? 0 : e;
	if (!r.node.running || driver_netns_enter(dn, node, &fd) != -ENOENT)
		return 0;
	r.node.running = false;
	r.starting = true;
	r.n_interfaces = 0;
	return record_write(dn->records, &r);
}

/* The script is written by the first driver of a boot; before that one has looked at all nodes, it
 * is not there. */
static int driver_netns_after_boot(struct driver_netns *dn)
{
	_cleanup_(strv_free_cleanup) char **ids = NULL;
	int e;

	if (!access(dn->script, F_OK))
		return 0;
	e = record_list(dn->records, &ids);
	for (size_t i = 0; !e && ids[i]; i++)
		if (driver_id_is_valid(ids[i]))
			e = driver_netns_cut_off(dn, ids[i]);
	return e;
}

int driver_netns_new(const struct driver_netns_config *config, struct driver **ret)
{
	_cleanup_(driver_free_cleanup) struct driver *opened = NULL;
	struct driver_netns *dn = calloc(1, sizeof(*dn));
	int e;

	if (!dn)
		return -ENOMEM;
	dn->driver.ops = &driver_netns_ops;
	opened = &dn->driver;
	e = str_printf(&dn->records, "%s/nodes", config->state);
	if (!e)
		e = str_printf(&dn->resolv, "%s", config->resolv);
	if (!e)
		e = str_printf(&dn->script, "%s/udhcpc.script", config->run);
	if (!e)
		e = str_printf(&dn->netns_dir, "%s", config->netns_dir);
	if (!e)
		e = str_printf(&dn->prefix, "%s", config->prefix);
	if (!e)
		e = file_mkdirs(dn->records, 0700);
	if (!e)
		e = file_mkdirs(config->run, 0755);
	if (!e)
		e = file_mkdirs(dn->resolv, 0755);
	if (!e)
		e = driver_netns_after_boot(dn);
	if (!e)
		e = client_write_script(dn->script);
	if (!e && config->loop)
		e = driver_workers_new(opened, config->loop, &dn->workers);
	if (e)
		return e;
	*ret = TAKE_PTR(opened);
	return 0;
}
