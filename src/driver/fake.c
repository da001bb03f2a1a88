/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/fake.h"

#include "base/str.h"

struct driver_fake {
	struct driver driver; /* first: the contract's part */
	struct fake_nodes *nodes;
	struct loop *loop;
	struct list jobs; /* of struct fake_job, in the order of their submission */
	struct deferred now;
	struct timer later;
};

struct fake_job {
	struct list link;
	struct driver_job *job;
	uint64_t due_ns;
	bool has_run;
};

static struct driver_fake *driver_fake_of(struct driver *d)
{
	return container_of(d, struct driver_fake, driver);
}

static struct fake_nodes *fake_of(struct driver *d)
{
	return driver_fake_of(d)->nodes;
}

struct fake_node *fake_nodes_find(struct fake_nodes *nodes, const char *id)
{
	for (size_t i = 0; i < FAKE_NODES_MAX; i++)
		if (str_equal(nodes->nodes[i].node.id, id))
			return &nodes->nodes[i];
	return NULL;
}

static int fake_start(struct driver *d, const char *id, uint64_t generation)
{
	struct fake_nodes *nodes = fake_of(d);
	struct fake_node *n = fake_nodes_find(nodes, id);

	if (nodes->fail_start)
		return nodes->fail_start;
	if (!n)
		n = fake_nodes_find(nodes, "");
	if (!n)
		return -ENOSPC;
	if (!n->node.running)
		nodes->n_starts++;
	n->node.generation = generation;
	n->node.running = true;
	return str_copy(n->node.id, sizeof(n->node.id), id);
}

static int fake_stop(struct driver *d, const char *id)
{
	struct fake_node *n = fake_nodes_find(fake_of(d), id);

	if (fake_of(d)->fail_stop)
		return fake_of(d)->fail_stop;
	if (!n)
		return 0;
	if (n->node.running)
		fake_of(d)->n_stops++;
	n->node.running = false;
	n->n_interfaces = 0;
	return 0;
}

static int fake_forget(struct driver *d, const char *id)
{
	struct fake_node *n = fake_nodes_find(fake_of(d), id);
	int e = fake_stop(d, id);

	if (n && !e)
		*n = (struct fake_node){0};
	return e;
}

static int fake_check(struct driver *d, const char *id, struct driver_node *ret)
{
	struct fake_node *n = fake_nodes_find(fake_of(d), id);

	if (!n)
		return -ENOENT;
	if (!n->node.running)
		n->n_interfaces = 0;
	*ret = n->node;
	return 0;
}

static size_t fake_interface(const struct fake_node *n, const char *id)
{
	size_t i = 0;

	while (i < n->n_interfaces && !str_equal(n->interfaces[i].id, id))
		i++;
	return i;
}

static int fake_plug(struct driver *d, const char *id, const struct driver_interface *interface,
		     struct driver_port *ret)
{
	struct fake_node *n = fake_nodes_find(fake_of(d), id);
	size_t i;

	if (fake_of(d)->fail_plug)
		return fake_of(d)->fail_plug;
	if (!n || !n->node.running)
		return -ENOENT;
	i = fake_interface(n, interface->id);
	if (i == FAKE_INTERFACES_MAX)
		return -ENOSPC;
	if (i == n->n_interfaces) {
		n->n_interfaces++;
		n->ifindexes[i] = ++fake_of(d)->last_ifindex;
		n->open[i] = n->online[i] = false;
		n->n_addrs6[i] = 0;
	}
	n->interfaces[i] = *interface;
	*ret = (struct driver_port){.ifindex = n->ifindexes[i], .peer_redirect = true};
	return 0;
}

static int fake_open(struct driver *d, const char *id, const char *interface)
{
	struct fake_node *n = fake_nodes_find(fake_of(d), id);
	size_t i = n ? fake_interface(n, interface) : 0;

	if (!n || i == n->n_interfaces)
		return -ENOENT;
	n->open[i] = true;
	return 0;
}

static int fake_online(struct driver *d, const char *id, const char *interface,
		       const struct driver_address *address)
{
	struct fake_node *n = fake_nodes_find(fake_of(d), id);
	size_t i = n ? fake_interface(n, interface) : 0;

	if (!n || i == n->n_interfaces)
		return -ENOENT;
	n->open[i] = n->online[i] = true;
	n->addresses[i] = address ? *address : (struct driver_address){0};
	return 0;
}

static int fake_addresses6(struct driver *d, const char *id, const char *interface,
			   const struct ipaddr *addrs, size_t n_addrs)
{
	struct fake_node *n = fake_nodes_find(fake_of(d), id);
	size_t i = n ? fake_interface(n, interface) : 0;

	if (!n || i == n->n_interfaces)
		return -ENOENT;
	n->n_addrs6[i] = n_addrs;
	return 0;
}

static int fake_unplug(struct driver *d, const char *id, const char *interface)
{
	struct fake_node *n = fake_nodes_find(fake_of(d), id);
	size_t i = n ? fake_interface(n, interface) : 0;

	if (!n || i == n->n_interfaces)
		return 0;
	n->n_interfaces--;
	n->interfaces[i] = n->interfaces[n->n_interfaces];
	n->ifindexes[i] = n->ifindexes[n->n_interfaces];
	n->open[i] = n->open[n->n_interfaces];
	n->online[i] = n->online[n->n_interfaces];
	n->addresses[i] = n->addresses[n->n_interfaces];
	n->n_addrs6[i] = n->n_addrs6[n->n_interfaces];
	return 0;
}

static int fake_nodes_each(struct driver *d, driver_node_fn fn, void *arg)
{
	struct fake_nodes *nodes = fake_of(d);
	int e = 0;

	for (size_t i = 0; !e && i < FAKE_NODES_MAX; i++)
		if (*nodes->nodes[i].node.id)
			e = fn(nodes->nodes[i].node.id, arg);
	return e;
}

static int fake_interfaces_each(struct driver *d, const char *id, driver_interface_fn fn, void *arg)
{
	struct fake_node *n = fake_nodes_find(fake_of(d), id);
	int e = 0;

	for (size_t i = 0; n && !e && i < n->n_interfaces; i++)
		e = fn(&n->interfaces[i], arg);
	return e;
}

static uint64_t fake_now(const struct driver_fake *df)
{
	return clock_mono_ns(loop_clock(df->loop));
}

static void fake_forget_job(struct fake_job *f)
{
	list_remove(&f->link);
	free(f);
}

/* Wakes up for what is due next. */
static void fake_arm(struct driver_fake *df)
{
	uint64_t due_ns = UINT64_MAX;
	struct fake_job *f;

	list_for_each (f, &df->jobs, link)
		due_ns = f->due_ns < due_ns ? f->due_ns : due_ns;
	timer_disarm(&df->later);
	if (due_ns <= fake_now(df))
		deferred_schedule(&df->now);
	else if (due_ns < UINT64_MAX)
		timer_arm_at(&df->later, due_ns);
}

static struct fake_job *fake_due(const struct driver_fake *df)
{
	struct fake_job *f;

	list_for_each (f, &df->jobs, link)
		if (f->due_ns <= fake_now(df))
			return f;
	return NULL;
}

static void fake_do_due(struct driver_fake *df)
{
	struct fake_job *f;

	while ((f = fake_due(df))) {
		struct driver_job *job = f->job;

		if (!f->has_run)
			job->run(job, &df->driver);
		fake_forget_job(f);
		job->done(job);
	}
	fake_arm(df);
}

static void fake_on_now(struct deferred *deferred, void *data)
{
	fake_do_due(data);
}

static void fake_on_later(struct timer *t, void *data)
{
	fake_do_due(data);
}

static void fake_submit(struct driver *d, struct driver_job *job)
{
	struct driver_fake *df = driver_fake_of(d);
	const struct fake_nodes *nodes = df->nodes;
	bool slow =
		nodes->slow_ns && (!*nodes->slow_node || str_equal(nodes->slow_node, job->node));
	struct fake_job *f = calloc(1, sizeof(*f)), *before;

	if (!f)
		abort(); /* a test without memory has nothing to say */
	*f = (struct fake_job){
		.job = job, .due_ns = fake_now(df), .has_run = slow && nodes->slow_to_tell};
	list_for_each (before, &df->jobs, link)
		if (str_equal(before->job->node, job->node) && before->due_ns >= f->due_ns) {
			f->due_ns = before->due_ns;
			f->has_run = false;
		}
	if (slow)
		f->due_ns += nodes->slow_ns;
	df->nodes->n_jobs++;
	list_push_back(&df->jobs, &f->link);
	if (f->has_run)
		job->run(job, d);
	fake_arm(df);
}

static void fake_halt(struct driver *d)
{
	struct driver_fake *df = driver_fake_of(d);
	struct fake_job *f;

	list_for_each (f, &df->jobs, link)
		fake_forget_job(f);
	deferred_cancel(&df->now);
	timer_disarm(&df->later);
}

static void fake_free(struct driver *d)
{
	fake_halt(d);
	deferred_deinit(&driver_fake_of(d)->now);
	timer_deinit(&driver_fake_of(d)->later);
	free(driver_fake_of(d));
}

static const struct driver_ops fake_ops = {
	.start = fake_start,
	.stop = fake_stop,
	.forget = fake_forget,
	.check = fake_check,
	.plug = fake_plug,
	.open = fake_open,
	.online = fake_online,
	.addresses6 = fake_addresses6,
	.unplug = fake_unplug,
	.nodes = fake_nodes_each,
	.interfaces = fake_interfaces_each,
	.submit = fake_submit,
	.halt = fake_halt,
	.free = fake_free,
};

int driver_fake_new(struct fake_nodes *nodes, struct loop *loop, struct driver **ret)
{
	struct driver_fake *df = calloc(1, sizeof(*df));

	if (!df)
		return -ENOMEM;
	df->driver.ops = &fake_ops;
	df->nodes = nodes;
	df->loop = loop;
	list_init(&df->jobs);
	deferred_init(&df->now, loop, fake_on_now, df);
	timer_init(&df->later, loop, fake_on_later, df);
	*ret = &df->driver;
	return 0;
}
