/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/log.h"

static int dial_world(void *arg, size_t host, const struct session_callbacks *callbacks, void *user,
		      struct session **ret)
{
	struct cluster *c = arg;

	return world_dial(c->w, host, callbacks, user, ret);
}

void cluster_init(struct cluster *c, size_t n_hosts, scenario_dial_fn dial, void *arg)
{
	log_set_level(LOG_LEVEL_ERR);
	*c = (struct cluster){.w = world_new_unconnected(n_hosts), .n_hosts = n_hosts};
	assert_int_equal(fake_world_new(&c->substrate), 0);
	for (size_t i = 0; i < n_hosts; i++) {
		c->hosts[i] = scenario_host_new(c->w->loop, c->substrate, i, c->w->host_ids[i],
						dial ?: dial_world, dial ? arg : c);
		scenario_host_start(c->hosts[i]);
	}
	world_advance(c->w, 2000);
	for (size_t i = 0; i < n_hosts; i++)
		assert_true(scenario_host_is_up(c->hosts[i]));
}

size_t cluster_add_edge(struct cluster *c)
{
	size_t i = world_add_edge(c->w);

	c->hosts[i] =
		scenario_host_new(c->w->loop, c->substrate, i, c->w->host_ids[i], dial_world, c);
	scenario_host_set_edge(c->hosts[i]);
	scenario_host_start(c->hosts[i]);
	c->n_hosts++;
	world_advance(c->w, 2000);
	assert_true(scenario_host_is_up(c->hosts[i]));
	return i;
}

void cluster_deinit(struct cluster *c)
{
	for (size_t i = 0; i < c->n_hosts; i++)
		scenario_host_free(c->hosts[i]);
	assert_int_equal(loop_settle(c->w->loop), 0);
	world_free(c->w);
	fake_world_free(c->substrate);
}

void cluster_run(struct cluster *c, size_t host, const char *addr, struct cluster_node *ret)
{
	*ret = (struct cluster_node){.host = host, .addr = addr};
	world_run(c->w, host, addr, ret->id);
	world_settle(c->w);
	world_advance(c->w, 1000);
	assert_int_equal(world_instance(c->w, ret->id)->state, INSTANCE_RUNNING);
	object_id_text(&world_interface(c->w, ret->id)->o, ret->eni);
}

struct cluster_pair *cluster_pair_new(size_t n_hosts)
{
	struct cluster_pair *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	cluster_init(&p->c, n_hosts, NULL, NULL);
	cluster_run(&p->c, 0, "10.0.0.4", &p->a);
	cluster_run(&p->c, 1, "10.0.0.5", &p->b);
	return p;
}

int cluster_pair_teardown(void **state)
{
	struct cluster_pair *p = *state;

	cluster_deinit(&p->c);
	free(p);
	return 0;
}
