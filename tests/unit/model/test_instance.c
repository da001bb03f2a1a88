/* SPDX-License-Identifier: Apache-2.0 */
/* The life of instances: who has to say what before a state changes, and what becomes of
 * addresses. */
#include "model/instance.h"

#include <string.h>

#include "model/holders.h"
#include "model/mapping.h"
#include "model/release.h"
#include "tests/unit/addr.h"
#include "tests/unit/model/cluster.h"

static struct cluster c;

static int setup(void **state)
{
	cluster_init_network(&c, 3);
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

static const struct mapping *mapping_of(const struct interface *i)
{
	return mapping_find(model_mappings(c.m), i->vni, &i->addrs[0].addr);
}

typedef int (*transition_fn)(struct tx *tx, const struct caller *caller, const char *const *ids,
			     size_t n, struct instance_transition *ret, struct refusal *reterr);

static int act(transition_fn fn, const char *id)
{
	struct instance_transition t;

	return cluster_end(&c, fn(cluster_tx(&c), &c.me, &id, 1, &t, &c.refusal));
}

static enum instance_state state_of(const char *id)
{
	return cluster_instance(&c, id)->state;
}

static void acknowledge(uint32_t host, uint64_t revision)
{
	int r = host_acknowledge(cluster_tx(&c), host, revision, NULL, 0, &c.refusal);

	assert_int_equal(cluster_end(&c, r), 0);
}

/* requirement: MAP-1 */
static void test_runs_only_when_the_host_has_confirmed(void **state)
{
	char id[ID_TEXT_SIZE];
	const struct interface *i;
	uint64_t revision;
	uint32_t host;

	assert_int_equal(cluster_run(&c, c.subnet, id), 0);
	revision = model_revision(c.m);
	host = cluster_instance(&c, id)->host;
	i = cluster_interface_of(&c, id);
	assert_int_equal(state_of(id), INSTANCE_PENDING);
	assert_int_equal(i->attachment.state, ATTACHMENT_ATTACHING);
	assert_int_equal(mapping_of(i)->host, host);
	assert_int_equal(mapping_of(i)->revision, revision);

	acknowledge(host, revision - 1);
	assert_int_equal(state_of(id), INSTANCE_PENDING);
	assert_false(host_waits(c.m, host, revision - 1));
	assert_true(host_waits(c.m, host, revision));
	acknowledge(host == c.hosts[0] ? c.hosts[1] : c.hosts[0], revision);
	assert_int_equal(state_of(id), INSTANCE_PENDING);
	acknowledge(host, revision);
	assert_int_equal(state_of(id), INSTANCE_RUNNING);
	assert_int_equal(cluster_interface_of(&c, id)->attachment.state, ATTACHMENT_ATTACHED);
	assert_false(host_waits(c.m, host, revision + 100));
}

static void test_stop_and_start(void **state)
{
	char id[ID_TEXT_SIZE];

	assert_int_equal(cluster_run(&c, c.subnet, id), 0);
	assert_int_equal(act(instance_stop, id), MODEL_E_INSTANCE_STATE);
	cluster_acknowledge(&c);
	assert_int_equal(act(instance_stop, id), 0);
	assert_int_equal(state_of(id), INSTANCE_STOPPING);
	assert_int_equal(mapping_of(cluster_interface_of(&c, id))->host, 0);
	assert_int_equal(act(instance_start, id), MODEL_E_INSTANCE_STATE);
	cluster_acknowledge(&c);
	assert_int_equal(state_of(id), INSTANCE_STOPPED);
	assert_int_equal(cluster_interface_of(&c, id)->attachment.state, ATTACHMENT_ATTACHED);
	assert_int_equal(act(instance_start, id), 0);
	assert_int_equal(state_of(id), INSTANCE_PENDING);
	assert_int_equal(cluster_instance(&c, id)->generation, 2);
	assert_int_equal(mapping_of(cluster_interface_of(&c, id))->revision, model_revision(c.m));
	cluster_acknowledge(&c);
	assert_int_equal(state_of(id), INSTANCE_RUNNING);
}

static void test_terminate_frees_what_was_its_own(void **state)
{
	char id[ID_TEXT_SIZE], interface[ID_TEXT_SIZE];

	assert_int_equal(cluster_run(&c, c.subnet, id), 0);
	object_id_text(&cluster_interface_of(&c, id)->o, interface);
	cluster_acknowledge(&c);
	assert_int_equal(act(instance_terminate, id), 0);
	assert_int_equal(state_of(id), INSTANCE_SHUTTING_DOWN);
	assert_int_equal(cluster_interface(&c, interface)->attachment.state, ATTACHMENT_DETACHING);
	/* the host has not let go of it: nobody else gets the address */
	assert_int_equal(cluster_make_interface(&c, c.subnet, "10.0.0.4", interface),
			 MODEL_E_ADDRESS_IN_USE);
	cluster_acknowledge(&c);
	assert_int_equal(state_of(id), INSTANCE_TERMINATED);
	assert_int_equal(model_count(c.m, KIND_INTERFACE), 0);
	assert_int_equal(cluster_make_interface(&c, c.subnet, "10.0.0.4", interface), 0);
	assert_int_equal(act(instance_start, id), MODEL_E_INSTANCE_STATE);
	assert_int_equal(act(instance_terminate, id), 0);
}

static void test_terminated_instances_are_forgotten_after_an_hour(void **state)
{
	char id[ID_TEXT_SIZE];

	assert_int_equal(cluster_run(&c, c.subnet, id), 0);
	cluster_acknowledge(&c);
	assert_int_equal(act(instance_terminate, id), 0);
	cluster_acknowledge(&c);
	c.now_ms += 3599 * 1000;
	assert_int_equal(cluster_end(&c, tx_expire(cluster_tx(&c), 100)), 0);
	assert_int_equal(model_count(c.m, KIND_INSTANCE), 1);
	c.now_ms += 1000;
	assert_int_equal(cluster_end(&c, tx_expire(cluster_tx(&c), 100)), 0);
	assert_int_equal(model_count(c.m, KIND_INSTANCE), 0);
}

/* requirement: MAP-3 */
static void test_an_address_waits_for_its_holders(void **state)
{
	char id[ID_TEXT_SIZE], interface[ID_TEXT_SIZE];
	struct ipaddr a = addr_of("10.0.0.4");
	const struct subnet *s;
	uint64_t available;
	uint32_t vni;
	size_t n;

	assert_int_equal(cluster_run(&c, c.subnet, id), 0);
	cluster_acknowledge(&c);
	vni = cluster_interface_of(&c, id)->vni;
	assert_int_equal(holders_add(model_holders(c.m), vni, &a, c.hosts[2], 1, 9999), 0);
	assert_int_equal(act(instance_terminate, id), 0);
	cluster_acknowledge(&c);
	assert_int_equal(state_of(id), INSTANCE_TERMINATED);
	assert_int_equal(release_count(c.m), 1);
	assert_int_equal(cluster_make_interface(&c, c.subnet, "10.0.0.4", interface),
			 MODEL_E_ADDRESS_IN_USE);
	assert_int_equal(subnet_find(c.m, &c.me, c.subnet, &s, NULL), 0);
	available = subnet_available(c.m, s);
	assert_int_equal(cluster_end(&c, release_settle(cluster_tx(&c), &n)), 0);
	assert_int_equal(n, 0);

	assert_true(holders_remove(model_holders(c.m), vni, &a, c.hosts[2]));
	assert_int_equal(cluster_end(&c, release_settle(cluster_tx(&c), &n)), 0);
	assert_int_equal(n, 1);
	assert_int_equal(subnet_available(c.m, s), available + 1);
	assert_int_equal(cluster_make_interface(&c, c.subnet, "10.0.0.4", interface), 0);
}

static void test_an_operator_forces_an_address_free(void **state)
{
	char id[ID_TEXT_SIZE];
	struct ipaddr a = addr_of("10.0.0.4");
	uint32_t vni;

	assert_int_equal(cluster_run(&c, c.subnet, id), 0);
	cluster_acknowledge(&c);
	vni = cluster_interface_of(&c, id)->vni;
	assert_int_equal(
		cluster_end(&c, release_force(cluster_tx(&c), &c.admin, vni, &a, &c.refusal)),
		MODEL_E_VALUE);
	assert_int_equal(holders_add(model_holders(c.m), vni, &a, c.hosts[2], 1, 9999), 0);
	assert_int_equal(act(instance_terminate, id), 0);
	cluster_acknowledge(&c);
	assert_int_equal(cluster_end(&c, release_force(cluster_tx(&c), &c.me, vni, &a, &c.refusal)),
			 MODEL_E_NOT_PERMITTED);
	assert_int_equal(
		cluster_end(&c, release_force(cluster_tx(&c), &c.admin, vni, &a, &c.refusal)), 0);
	assert_int_equal(release_count(c.m), 0);
}

static int report(const char *id, uint32_t host, uint64_t generation,
		  enum instance_report_state state, const char *text)
{
	uint64_t number;

	assert_int_equal(id_parse(KIND_INSTANCE, id, &number), 0);
	return cluster_end(&c,
			   instance_report(cluster_tx(&c), host, number, generation, state, text));
}

static void test_a_stop_that_nobody_asked_for(void **state)
{
	char id[ID_TEXT_SIZE];
	uint32_t host;

	assert_int_equal(cluster_run(&c, c.subnet, id), 0);
	cluster_acknowledge(&c);
	host = cluster_instance(&c, id)->host;
	report(id, host, 7, INSTANCE_REPORT_STOPPED, "another generation");
	report(id, host + 1, 1, INSTANCE_REPORT_STOPPED, "another host");
	report(id, host, 1, INSTANCE_REPORT_RUNNING, NULL);
	assert_int_equal(state_of(id), INSTANCE_RUNNING);
	report(id, host, 1, INSTANCE_REPORT_STOPPED, "its process ended");
	assert_int_equal(state_of(id), INSTANCE_STOPPED);
	assert_int_equal(mapping_of(cluster_interface_of(&c, id))->host, 0);
	assert_int_equal(act(instance_start, id), 0);
	report(id, host, 2, INSTANCE_REPORT_FAILED, "no memory");
	assert_int_equal(state_of(id), INSTANCE_STOPPED);
	assert_string_equal(cluster_instance(&c, id)->reason, "no memory");
}

static void test_an_instance_that_never_started_ends(void **state)
{
	char id[ID_TEXT_SIZE];
	struct host_failure failure = {.kind = KIND_INSTANCE, .text = "no namespace"};
	uint32_t host;
	int r;

	assert_int_equal(cluster_run(&c, c.subnet, id), 0);
	host = cluster_instance(&c, id)->host;
	failure.id = cluster_instance(&c, id)->o.id;
	r = host_acknowledge(cluster_tx(&c), host, model_revision(c.m), &failure, 1, &c.refusal);
	assert_int_equal(cluster_end(&c, r), 0);
	assert_int_equal(state_of(id), INSTANCE_SHUTTING_DOWN);
	cluster_acknowledge(&c);
	assert_int_equal(state_of(id), INSTANCE_TERMINATED);
	assert_string_equal(cluster_instance(&c, id)->reason, "no namespace");
	assert_int_equal(model_count(c.m, KIND_INTERFACE), 0);
}

static void acknowledge_pending(const char *id, uint32_t host)
{
	const struct host_failure pending = {.kind = KIND_INSTANCE,
					     .id = cluster_instance(&c, id)->o.id};
	int r = host_acknowledge(cluster_tx(&c), host, model_revision(c.m), &pending, 1,
				 &c.refusal);

	assert_int_equal(cluster_end(&c, r), 0);
}

/* Its host has the word, and is at it: it is neither done nor failed, and neither are its
 * interfaces. requirement: NODE-1, NIC-2 */
static void test_what_is_pending_goes_on_waiting(void **state)
{
	char id[ID_TEXT_SIZE], other[ID_TEXT_SIZE];
	uint32_t host;

	assert_int_equal(cluster_run(&c, c.subnet, id), 0);
	host = cluster_instance(&c, id)->host;
	acknowledge_pending(id, host);
	assert_int_equal(state_of(id), INSTANCE_PENDING);
	assert_int_equal(cluster_interface_of(&c, id)->attachment.state, ATTACHMENT_ATTACHING);
	/* of others the same word is the last one */
	while (cluster_run(&c, c.subnet, other) == 0 && cluster_instance(&c, other)->host != host)
		;
	acknowledge_pending(id, host);
	assert_int_equal(state_of(other), INSTANCE_RUNNING);
	assert_int_equal(state_of(id), INSTANCE_PENDING);
	cluster_acknowledge(&c);
	assert_int_equal(state_of(id), INSTANCE_RUNNING);
	assert_int_equal(cluster_interface_of(&c, id)->attachment.state, ATTACHMENT_ATTACHED);

	assert_int_equal(act(instance_stop, id), 0);
	acknowledge_pending(id, host);
	assert_int_equal(state_of(id), INSTANCE_STOPPING);
	cluster_acknowledge(&c);
	assert_int_equal(state_of(id), INSTANCE_STOPPED);
	assert_int_equal(act(instance_start, id), 0);
	cluster_acknowledge(&c);
	host = cluster_instance(&c, id)->host;
	assert_int_equal(act(instance_terminate, id), 0);
	acknowledge_pending(id, host);
	assert_int_equal(state_of(id), INSTANCE_SHUTTING_DOWN);
	cluster_acknowledge(&c);
	assert_int_equal(state_of(id), INSTANCE_TERMINATED);
}

static void test_protection(void **state)
{
	const bool yes = true, no = false;
	char id[ID_TEXT_SIZE];
	struct instance_modify_args args = {
		.instance_id = id,
		.disable_api_termination = &yes,
		.disable_api_stop = &yes,
	};

	assert_int_equal(cluster_run(&c, c.subnet, id), 0);
	cluster_acknowledge(&c);
	assert_int_equal(cluster_end(&c, instance_modify(cluster_tx(&c), &c.me, &args, &c.refusal)),
			 0);
	assert_int_equal(act(instance_terminate, id), MODEL_E_TERMINATION_PROTECTED);
	assert_int_equal(act(instance_stop, id), MODEL_E_STOP_PROTECTED);
	args.disable_api_termination = &no;
	assert_int_equal(cluster_end(&c, instance_modify(cluster_tx(&c), &c.me, &args, &c.refusal)),
			 0);
	assert_int_equal(act(instance_terminate, id), 0);
}

static void test_type_changes_only_when_stopped(void **state)
{
	char id[ID_TEXT_SIZE];
	struct instance_modify_args args = {.instance_id = id, .type = "t3.micro"};

	assert_int_equal(cluster_run(&c, c.subnet, id), 0);
	cluster_acknowledge(&c);
	assert_int_equal(cluster_end(&c, instance_modify(cluster_tx(&c), &c.me, &args, &c.refusal)),
			 MODEL_E_INSTANCE_NOT_STOPPED);
	assert_int_equal(act(instance_stop, id), 0);
	cluster_acknowledge(&c);
	assert_int_equal(cluster_end(&c, instance_modify(cluster_tx(&c), &c.me, &args, &c.refusal)),
			 0);
	assert_string_equal(cluster_instance(&c, id)->type, "t3.micro");
	args.type = "z9.huge";
	assert_int_equal(cluster_end(&c, instance_modify(cluster_tx(&c), &c.me, &args, &c.refusal)),
			 MODEL_E_INSTANCE_TYPE_UNKNOWN);
}

static void test_ids_that_are_not_there(void **state)
{
	const char *ids[] = {"i-00000000000000001", "i-00000000000000002"};
	const char *malformed = "i-xyz";
	struct instance_transition t[2];
	int r = instance_stop(cluster_tx(&c), &c.me, ids, 2, t, &c.refusal);

	assert_int_equal(cluster_end(&c, r), MODEL_E_INSTANCES_NOT_FOUND);
	assert_string_equal(c.refusal.message, "The instance IDs 'i-00000000000000001, "
					       "i-00000000000000002' do not exist");
	r = instance_stop(cluster_tx(&c), &c.me, ids, 1, t, &c.refusal);
	assert_int_equal(cluster_end(&c, r), MODEL_E_INSTANCE_NOT_FOUND);
	assert_int_equal(act(instance_stop, malformed), MODEL_E_INSTANCE_MALFORMED);
}

/* requirement: OPS-1 */
static void test_all_or_none_and_only_ones_own(void **state)
{
	char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE];
	const char *ids[2] = {a, b};
	struct instance_transition t[2];
	int r;

	assert_int_equal(cluster_run(&c, c.subnet, a), 0);
	cluster_acknowledge(&c);
	assert_int_equal(cluster_run(&c, c.subnet, b), 0); /* pending: cannot be stopped */
	r = instance_stop(cluster_tx(&c), &c.me, ids, 2, t, &c.refusal);
	assert_int_equal(cluster_end(&c, r), MODEL_E_INSTANCE_STATE);
	assert_int_equal(state_of(a), INSTANCE_RUNNING);
	r = instance_stop(cluster_tx(&c), &c.stranger, ids, 1, t, &c.refusal);
	assert_int_equal(cluster_end(&c, r), MODEL_E_INSTANCE_NOT_FOUND);
	ids[1] = a; /* the same twice */
	r = instance_stop(cluster_tx(&c), &c.me, ids, 2, t, &c.refusal);
	assert_int_equal(t[0].before, INSTANCE_RUNNING);
	assert_int_equal(t[1].before, INSTANCE_STOPPING);
	assert_int_equal(t[0].instance->state, INSTANCE_STOPPING);
	assert_int_equal(cluster_end(&c, r), 0);
}

static void test_reboot_is_a_new_generation(void **state)
{
	char id[ID_TEXT_SIZE];
	const char *ids = id;
	int r;

	assert_int_equal(cluster_run(&c, c.subnet, id), 0);
	r = instance_reboot(cluster_tx(&c), &c.me, &ids, 1, &c.refusal);
	assert_int_equal(cluster_end(&c, r), MODEL_E_INSTANCE_STATE);
	cluster_acknowledge(&c);
	r = instance_reboot(cluster_tx(&c), &c.me, &ids, 1, &c.refusal);
	assert_int_equal(cluster_end(&c, r), 0);
	assert_int_equal(cluster_instance(&c, id)->generation, 2);
	assert_int_equal(state_of(id), INSTANCE_RUNNING);
}

/* requirement: MAP-1 */
static void test_a_start_goes_elsewhere_when_the_host_is_gone(void **state)
{
	char id[ID_TEXT_SIZE];
	uint32_t host;

	assert_int_equal(cluster_run(&c, c.subnet, id), 0);
	cluster_acknowledge(&c);
	host = cluster_instance(&c, id)->host;
	assert_int_equal(act(instance_stop, id), 0);
	cluster_acknowledge(&c);
	assert_int_equal(act(instance_start, id), 0);
	assert_int_equal(cluster_instance(&c, id)->host, host);
	cluster_acknowledge(&c);
	assert_int_equal(act(instance_stop, id), 0);
	cluster_acknowledge(&c);
	host_set_connected(c.m, host, false);
	assert_int_equal(act(instance_start, id), 0);
	assert_int_not_equal(cluster_instance(&c, id)->host, host);
	assert_int_equal(mapping_of(cluster_interface_of(&c, id))->host,
			 cluster_instance(&c, id)->host);
	assert_int_equal(cluster_interface_of(&c, id)->attachment.state, ATTACHMENT_ATTACHING);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_runs_only_when_the_host_has_confirmed),
		TEST(test_stop_and_start),
		TEST(test_terminate_frees_what_was_its_own),
		TEST(test_terminated_instances_are_forgotten_after_an_hour),
		TEST(test_an_address_waits_for_its_holders),
		TEST(test_an_operator_forces_an_address_free),
		TEST(test_a_stop_that_nobody_asked_for),
		TEST(test_an_instance_that_never_started_ends),
		TEST(test_what_is_pending_goes_on_waiting),
		TEST(test_protection),
		TEST(test_type_changes_only_when_stopped),
		TEST(test_ids_that_are_not_there),
		TEST(test_all_or_none_and_only_ones_own),
		TEST(test_reboot_is_a_new_generation),
		TEST(test_a_start_goes_elsewhere_when_the_host_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
