/* SPDX-License-Identifier: Apache-2.0 */
/* Whom an interface's lists and permissions let do what, and what only its owner may. */

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "model/payer.h"
#include "model/permission.h"
#include "tests/unit/model/cluster.h"

#define GUEST_TEXT "999999999999"

static struct cluster c; /* c.stranger has the account 999999999999 */
static char interface[ID_TEXT_SIZE];

static int setup(void **state)
{
	struct account_create_args args = {.id = GUEST_TEXT};
	const struct account *a;

	cluster_init_network(&c, 2);
	assert_ok(cluster_end(&c, account_create(cluster_tx(&c), &c.admin, &args, &a, &c.refusal)));
	assert_ok(cluster_make_interface(&c, c.subnet, "10.0.0.50", interface));
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

static int set(const struct caller *who, struct interface_set_args args)
{
	args.interface_id = interface;
	return cluster_end(&c, interface_set(cluster_tx(&c), who, &args, &c.refusal));
}

static const char *const guests[] = {GUEST_TEXT};
static const struct account_list guest = {guests, 1};
static const struct account_list nobody = {NULL, 0};

static int modify(const struct caller *who)
{
	struct interface_modify_args args = {.interface_id = interface, .description = "x"};

	return cluster_end(&c, interface_modify(cluster_tx(&c), who, &args, &c.refusal));
}

static int assign(const struct caller *who)
{
	struct interface_assign_args args = {.interface_id = interface, .count = 1};
	const struct interface *i;
	size_t n;

	return cluster_end(&c, interface_assign(cluster_tx(&c), who, &args, &i, &n, &c.refusal));
}

static int attach(const struct caller *who, const char *instance)
{
	struct interface_attach_args args = {interface, instance, 1, false};
	const struct attachment *a;

	return cluster_end(&c, interface_attach(cluster_tx(&c), who, &args, &a, &c.refusal));
}

static int detach(const struct caller *who)
{
	char id[ID_TEXT_SIZE];

	id_text_prefixed(ID_PREFIX_ATTACHMENT, cluster_interface(&c, interface)->attachment.id, id);
	return cluster_end(&c, interface_detach(cluster_tx(&c), who, id, false, &c.refusal));
}

/* An instance of the guest, in a network of the guest's. */
static void run_guest(char ret[ID_TEXT_SIZE])
{
	struct caller me = c.me;
	char vpc[ID_TEXT_SIZE], subnet[ID_TEXT_SIZE];

	c.me = c.stranger;
	cluster_make_vpc(&c, "10.9.0.0/16", vpc);
	cluster_make_subnet(&c, vpc, "10.9.0.0/24", subnet);
	assert_ok(cluster_run(&c, subnet, ret));
	cluster_acknowledge(&c);
	c.me = me;
}

/* requirement: NIC-1 OPS-1 */
static void test_each_list_lets_do_its_own(void **state)
{
	assert_int_equal(modify(&c.stranger), MODEL_E_INTERFACE_NOT_FOUND);
	assert_ok(set(&c.me, (struct interface_set_args){.modifiers = &guest}));
	assert_ok(modify(&c.stranger));
	assert_int_equal(assign(&c.stranger), MODEL_E_INTERFACE_RIGHT);
	assert_ok(set(&c.me, (struct interface_set_args){.setters = &guest, .modifiers = &nobody}));
	assert_ok(assign(&c.stranger));
	assert_int_equal(modify(&c.stranger), MODEL_E_INTERFACE_RIGHT);
	assert_int_equal(cluster_end(&c, interface_delete(cluster_tx(&c), &c.stranger, interface,
							  &c.refusal)),
			 MODEL_E_INTERFACE_RIGHT);
}

/* requirement: NIC-1 */
static void test_only_the_owner_changes_the_lists(void **state)
{
	uint32_t vlan = 7;

	assert_ok(set(&c.me, (struct interface_set_args){.modifiers = &guest}));
	assert_ok(set(&c.stranger, (struct interface_set_args){.vlan = &vlan}));
	assert_int_equal(cluster_interface(&c, interface)->vlan, 7);
	assert_int_equal(set(&c.stranger, (struct interface_set_args){.attachers = &guest}),
			 MODEL_E_INTERFACE_RIGHT);
	assert_int_equal(set(&c.stranger, (struct interface_set_args){.billing_account = ""}),
			 MODEL_E_INTERFACE_RIGHT);
	assert_ok(set(&c.me, (struct interface_set_args){.attachers = &guest}));
	assert_ok(set(&c.admin, (struct interface_set_args){.attachers = &nobody}));
}

/* requirement: NIC-1 NIC-2 */
static void test_an_attacher_attaches_to_its_own_instances(void **state)
{
	char n[ID_TEXT_SIZE], mine[ID_TEXT_SIZE];

	run_guest(n);
	assert_ok(cluster_run(&c, c.subnet, mine));
	cluster_acknowledge(&c);
	assert_int_equal(attach(&c.stranger, n), MODEL_E_INTERFACE_NOT_FOUND);
	/* nor does an operator, for one who may not */
	assert_int_equal(attach(&c.admin, n), MODEL_E_INTERFACE_NOT_FOUND);
	assert_ok(set(&c.me, (struct interface_set_args){.attachers = &guest}));
	assert_int_equal(attach(&c.stranger, mine), MODEL_E_INSTANCE_NOT_FOUND);
	assert_ok(attach(&c.stranger, n));
	cluster_acknowledge(&c);
	assert_int_equal(cluster_interface(&c, interface)->attachment.state, ATTACHMENT_ATTACHED);
	/* without a list of detachers, attachers detach */
	assert_ok(detach(&c.stranger));
	cluster_acknowledge(&c);
	assert_ok(attach(&c.stranger, n));
	assert_ok(detach(&c.me)); /* what is the owner's stays the owner's */
}

/* requirement: NIC-1 */
static void test_a_list_of_detachers_replaces_the_attachers(void **state)
{
	const char *const owner[] = {ACCOUNT_TEXT};
	const struct account_list only_owner = {owner, 1};
	char n[ID_TEXT_SIZE];

	assert_ok(cluster_run(&c, c.subnet, n));
	cluster_acknowledge(&c);
	assert_ok(attach(&c.me, n));
	assert_int_equal(detach(&c.stranger), MODEL_E_ATTACHMENT_NOT_FOUND);
	assert_ok(set(&c.me,
		      (struct interface_set_args){.attachers = &guest, .detachers = &only_owner}));
	assert_int_equal(detach(&c.stranger), MODEL_E_INTERFACE_RIGHT);
	assert_ok(set(&c.me, (struct interface_set_args){.detachers = &nobody}));
	assert_ok(detach(&c.stranger));
}

/* To take an interface from an instance and give it to another one needs both rights.  requirement:
 * NIC-1, NIC-3 */
static void test_who_takes_it_from_another_may_do_both(void **state)
{
	const char *const owner[] = {ACCOUNT_TEXT};
	const struct account_list only_owner = {owner, 1};
	char mine[ID_TEXT_SIZE], guests_own[ID_TEXT_SIZE];
	struct interface_attach_args args = {interface, guests_own, 1, true};
	const struct attachment *a;

	run_guest(guests_own);
	assert_ok(cluster_run(&c, c.subnet, mine));
	cluster_acknowledge(&c);
	assert_ok(attach(&c.me, mine));
	cluster_acknowledge(&c);
#define TAKE(who) cluster_end(&c, interface_attach(cluster_tx(&c), who, &args, &a, &c.refusal))
	assert_int_equal(TAKE(&c.stranger), MODEL_E_INTERFACE_NOT_FOUND);
	assert_ok(set(&c.me, (struct interface_set_args){.detachers = &guest}));
	assert_int_equal(TAKE(&c.stranger), MODEL_E_INTERFACE_RIGHT);
	assert_ok(set(&c.me,
		      (struct interface_set_args){.attachers = &guest, .detachers = &only_owner}));
	assert_int_equal(TAKE(&c.stranger), MODEL_E_INTERFACE_RIGHT);
	/* an operator neither, for one who may not attach it */
	assert_ok(set(&c.me, (struct interface_set_args){.attachers = &nobody}));
	assert_int_equal(TAKE(&c.admin), MODEL_E_INTERFACE_NOT_FOUND);
	assert_ok(
		set(&c.me, (struct interface_set_args){.attachers = &guest, .detachers = &guest}));
	assert_ok(TAKE(&c.stranger));
#undef TAKE
	for (int step = 0; step < 3; step++)
		cluster_acknowledge(&c);
	assert_int_equal(cluster_interface(&c, interface)->attachment.instance,
			 cluster_instance(&c, guests_own)->o.id);
}

static int permit(const char *type, char ret[ID_TEXT_SIZE])
{
	struct permission_create_args args = {interface, GUEST_TEXT, type};
	const struct permission *p;
	int r = permission_create(cluster_tx(&c), &c.me, &args, &p, &c.refusal);

	if (!r)
		object_id_text(&p->o, ret);
	return cluster_end(&c, r);
}

static int forbid(const struct caller *who, const char *id, bool force)
{
	return cluster_end(&c, permission_delete(cluster_tx(&c), who, id, force, &c.refusal));
}

/* requirement: NIC-1 */
static void test_a_permission_serves_as_a_place_in_the_list(void **state)
{
	char n[ID_TEXT_SIZE], p[ID_TEXT_SIZE], again[ID_TEXT_SIZE];

	run_guest(n);
	assert_int_equal(permit("NO-SUCH", p), MODEL_E_VALUE);
	assert_ok(permit("INSTANCE-ATTACH", p));
	assert_ok(permit("INSTANCE-ATTACH", again));
	assert_string_equal(p, again);
	assert_ok(attach(&c.stranger, n));
	assert_int_equal(modify(&c.stranger), MODEL_E_INTERFACE_RIGHT);
	assert_int_equal(forbid(&c.stranger, p, true), MODEL_E_NOT_PERMITTED);
	assert_int_equal(forbid(&c.me, p, false), MODEL_E_PERMISSION_IN_USE);
	assert_ok(forbid(&c.me, p, true));
	assert_int_equal(forbid(&c.me, p, true), MODEL_E_PERMISSION_NOT_FOUND);
	assert_ok(detach(&c.stranger)); /* from its own instance it still may */
	cluster_acknowledge(&c);
	assert_int_equal(attach(&c.stranger, n), MODEL_E_INTERFACE_NOT_FOUND);
}

static int bill(const struct caller *who, const char *account)
{
	return set(who, (struct interface_set_args){.billing_account = account});
}

static int agree(const struct caller *who, const char *from, const char *to, bool agreed)
{
	struct payer_agree_args args = {from, to, agreed};
	const struct account *a;

	return cluster_end(&c, payer_agree(cluster_tx(&c), who, &args, &a, &c.refusal));
}

static uint64_t payer(void)
{
	return payer_of(c.m, cluster_interface(&c, interface));
}

/* requirement: NIC-1 OPS-1 OPS-2 */
static void test_nobody_pays_without_having_agreed(void **state)
{
	assert_int_equal(bill(&c.me, GUEST_TEXT), MODEL_E_PAYER_CONSENT);
	assert_int_equal(bill(&c.me, "111111111111"), MODEL_E_ACCOUNT_NOT_FOUND);
	assert_ok(bill(&c.me, ACCOUNT_TEXT));
	/* that is for the one who pays to say */
	assert_int_equal(agree(&c.me, GUEST_TEXT, ACCOUNT_TEXT, true), MODEL_E_ACCOUNT_NOT_FOUND);
	assert_int_equal(agree(&c.stranger, GUEST_TEXT, "111111111111", true),
			 MODEL_E_ACCOUNT_NOT_FOUND);
	assert_int_equal(agree(&c.stranger, GUEST_TEXT, GUEST_TEXT, true), MODEL_E_VALUE);
	/* and the other way round it says nothing */
	assert_ok(agree(&c.me, ACCOUNT_TEXT, GUEST_TEXT, true));
	assert_int_equal(bill(&c.me, GUEST_TEXT), MODEL_E_PAYER_CONSENT);
	assert_ok(agree(&c.stranger, GUEST_TEXT, ACCOUNT_TEXT, true));
	assert_ok(agree(&c.stranger, GUEST_TEXT, ACCOUNT_TEXT, true));
	assert_int_equal(payer(), ACCOUNT_ID);
	assert_ok(bill(&c.me, GUEST_TEXT));
	assert_int_equal(payer(), c.stranger.account);
	assert_ok(agree(&c.stranger, GUEST_TEXT, ACCOUNT_TEXT, false));
	assert_int_equal(payer(), ACCOUNT_ID);
	assert_int_equal(bill(&c.me, GUEST_TEXT), MODEL_E_PAYER_CONSENT);
	/* an operator names whom it likes, and nobody gets rid of it by agreeing and taking it back */
	assert_ok(bill(&c.admin, GUEST_TEXT));
	assert_int_equal(payer(), c.stranger.account);
	assert_ok(agree(&c.stranger, GUEST_TEXT, ACCOUNT_TEXT, true));
	assert_ok(agree(&c.stranger, GUEST_TEXT, ACCOUNT_TEXT, false));
	assert_int_equal(payer(), c.stranger.account);
	assert_ok(bill(&c.me, ""));
	assert_int_equal(payer(), ACCOUNT_ID);
}

/* requirement: OPS-2 */
static void test_agreements_are_so_many_and_end_with_the_account(void **state)
{
	const struct account *guest_account;
	char id[ID_TEXT_SIZE];

	for (unsigned n = 0; n < LIMIT_MODEL_PAYS_FOR; n++) {
		struct account_create_args args = {.id = id};
		const struct account *a;

		snprintf(id, sizeof(id), "%012u", 400000 + n);
		assert_ok(cluster_end(
			&c, account_create(cluster_tx(&c), &c.admin, &args, &a, &c.refusal)));
		assert_ok(agree(&c.admin, GUEST_TEXT, id, true));
	}
	assert_int_equal(agree(&c.stranger, GUEST_TEXT, ACCOUNT_TEXT, true), MODEL_E_PAYER_LIMIT);
	assert_ok(cluster_end(&c, account_delete(cluster_tx(&c), &c.admin, id, &c.refusal)));
	assert_ok(agree(&c.stranger, GUEST_TEXT, ACCOUNT_TEXT, true));
	guest_account = account_find(c.m, GUEST_TEXT);
	assert_int_equal(guest_account->n_pays_for, LIMIT_MODEL_PAYS_FOR);
	assert_int_equal(guest_account->pays_for[LIMIT_MODEL_PAYS_FOR - 1], ACCOUNT_ID);
}

/* requirement: NIC-1 */
static void test_rights_end_with_the_account_or_the_interface(void **state)
{
	char p[ID_TEXT_SIZE];

	assert_ok(permit("EIP-ASSOCIATE", p));
	assert_ok(set(&c.admin, (struct interface_set_args){.attachers = &guest,
							    .billing_account = GUEST_TEXT}));
	assert_ok(
		cluster_end(&c, account_delete(cluster_tx(&c), &c.admin, GUEST_TEXT, &c.refusal)));
	assert_int_equal(model_count(c.m, KIND_PERMISSION), 0);
	assert_int_equal(cluster_interface(&c, interface)->n_attachers, 0);
	assert_int_equal(payer(), ACCOUNT_ID);
	teardown(state);
	setup(state);
	assert_ok(permit("EIP-ASSOCIATE", p));
	assert_ok(cluster_end(&c, interface_delete(cluster_tx(&c), &c.me, interface, &c.refusal)));
	assert_int_equal(model_count(c.m, KIND_PERMISSION), 0);
}

/* requirement: NIC-1 */
static void test_what_is_set_is_checked(void **state)
{
	const char *const unknown[] = {"111111111111"};
	const struct account_list bad = {unknown, 1};
	struct interface_route route;
	const size_t one = 1, none = 0;
	const uint32_t vlan = 4095;
	char n[ID_TEXT_SIZE];

	assert_ok(prefix_parse("192.168.0.0/16", &route.prefix));
	assert_ok(ipaddr_parse("10.0.0.77", &route.via));
	assert_ok(set(&c.me, (struct interface_set_args){.routes = &route, .n_routes = &one}));
	assert_int_equal(cluster_interface(&c, interface)->n_routes, 1);
	assert_ok(set(&c.me, (struct interface_set_args){.routes = NULL, .n_routes = &none}));
	assert_int_equal(cluster_interface(&c, interface)->n_routes, 0);
	assert_ok(ipaddr_parse("10.0.9.77", &route.via));
	assert_int_equal(
		set(&c.me, (struct interface_set_args){.routes = &route, .n_routes = &one}),
		MODEL_E_VALUE);
	assert_int_equal(set(&c.me, (struct interface_set_args){.vlan = &vlan}), MODEL_E_VALUE);
	assert_int_equal(set(&c.me, (struct interface_set_args){.attachers = &bad}),
			 MODEL_E_ACCOUNT_NOT_FOUND);
	assert_int_equal(set(&c.me, (struct interface_set_args){.dns_server = "dns"}),
			 MODEL_E_VALUE);
	assert_int_equal(set(&c.me, (struct interface_set_args){.condition = "fine"}),
			 MODEL_E_VALUE);
	/* what is not fit for use is not attached */
	assert_ok(set(&c.me, (struct interface_set_args){.condition = "in-repair"}));
	assert_ok(cluster_run(&c, c.subnet, n));
	cluster_acknowledge(&c);
	assert_int_equal(attach(&c.me, n), MODEL_E_INTERFACE_STATE);
	assert_ok(set(&c.me, (struct interface_set_args){.condition = "normal"}));
	assert_ok(attach(&c.me, n));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_list_lets_do_its_own),
		TEST(test_only_the_owner_changes_the_lists),
		TEST(test_an_attacher_attaches_to_its_own_instances),
		TEST(test_a_list_of_detachers_replaces_the_attachers),
		TEST(test_who_takes_it_from_another_may_do_both),
		TEST(test_a_permission_serves_as_a_place_in_the_list),
		TEST(test_nobody_pays_without_having_agreed),
		TEST(test_agreements_are_so_many_and_end_with_the_account),
		TEST(test_rights_end_with_the_account_or_the_interface),
		TEST(test_what_is_set_is_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
