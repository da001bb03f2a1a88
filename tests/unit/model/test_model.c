/* SPDX-License-Identifier: Apache-2.0 */
/* Transactions, iteration by pages, and loading what others have written. */
#include "model/model.h"

#include "base/buf.h"
#include "base/limits.h"
#include "model/mapping.h"
#include "model/record.h"
#include "tests/unit/model/cluster.h"

enum { N = 25 };

static struct cluster c;
static char ids[N][ID_TEXT_SIZE];

static int setup(void **state)
{
	cluster_init_network(&c, 1);
	for (size_t i = 0; i < N; i++)
		assert_ok(cluster_make_interface(&c, c.subnet, NULL, ids[i]));
	return 0;
}

static int teardown(void **state)
{
	cluster_deinit(&c);
	return 0;
}

static int delete_interface(const char *id)
{
	return cluster_end(&c, interface_delete(cluster_tx(&c), &c.me, id, &c.refusal));
}

/* requirement: OPS-1 */
static void test_pages(void **state)
{
	uint64_t id = 0, serial = 0;
	size_t n = 0;

	for (bool more = true; more;) {
		struct model_iter it = model_iter_account(c.m, KIND_INTERFACE, ACCOUNT_ID);
		const struct object *o;

		model_iter_skip(c.m, &it, KIND_INTERFACE, id, serial);
		more = false;
		for (int i = 0; i < 4 && (o = model_iter_next(&it)); i++) {
			char text[ID_TEXT_SIZE];

			assert_string_equal(object_id_text(o, text), ids[n]);
			id = o->id;
			serial = o->serial;
			n++;
			more = true;
		}
		/* what the page ended with goes away, and something else changes */
		if (n == 8)
			assert_ok(delete_interface(ids[7]));
		if (n == 12) {
			struct interface_modify_args args = {.interface_id = ids[11],
							     .description = "changed"};

			assert_ok(cluster_end(
				&c, interface_modify(cluster_tx(&c), &c.me, &args, &c.refusal)));
		}
	}
	assert_int_equal(n, N);
}

static void test_an_iterator_stays_at_its_end(void **state)
{
	struct model_iter it = model_iter_kind(c.m, KIND_VPC);

	assert_non_null(model_iter_next(&it));
	assert_null(model_iter_next(&it));
	assert_null(model_iter_next(&it));
	it = model_iter_account(c.m, KIND_VPC, 1);
	assert_null(model_iter_next(&it));
	model_iter_skip(c.m, &it, KIND_VPC, 1, 1);
	assert_null(model_iter_next(&it));
	it = model_iter_group(c.m, REL_HOST_INSTANCES, 12345);
	assert_null(model_iter_next(&it));
}

static void test_a_transaction_is_whole_or_nothing(void **state)
{
	uint64_t revision = model_revision(c.m);
	struct tx *tx = cluster_tx(&c), *second;
	struct change *change;

	assert_error(tx_begin(c.m, 1, &second), EBUSY);
	assert_ok(interface_delete(tx, &c.me, ids[0], &c.refusal));
	assert_int_equal(interface_delete(tx, &c.me, ids[0], &c.refusal),
			 MODEL_E_INTERFACE_NOT_FOUND);
	assert_ok(interface_delete(tx, &c.me, ids[1], &c.refusal));
	assert_ok(tx_end(tx, &change));
	assert_int_equal(change_count(change), 2);
	assert_int_equal(change_revision(change), revision + 1);
	assert_int_equal(change_get(change, 0).kind, KIND_INTERFACE);
	assert_null(change_get(change, 0).after);
	change_undo(change);
	assert_int_equal(model_revision(c.m), revision);
	assert_non_null(cluster_interface(&c, ids[0]));

	tx = cluster_tx(&c);
	assert_ok(interface_delete(tx, &c.me, ids[0], &c.refusal));
	assert_true(tx_has_writes(tx));
	tx_abort(tx);
	assert_non_null(cluster_interface(&c, ids[0]));
	/* a transaction without writes uses up no revision */
	assert_ok(tx_end(cluster_tx(&c), &change));
	assert_null(change);
	assert_int_equal(model_revision(c.m), revision);
}

static void test_what_came_and_went_is_no_change(void **state)
{
	struct interface_create_args args = {.subnet_id = c.subnet};
	const struct interface *i;
	uint64_t revision = model_revision(c.m);
	struct change *change;
	char id[ID_TEXT_SIZE];
	struct tx *tx = cluster_tx(&c);

	assert_ok(interface_create(tx, &c.me, &args, &i, &c.refusal));
	object_id_text(&i->o, id);
	assert_ok(interface_delete(tx, &c.me, id, &c.refusal));
	assert_ok(tx_end(tx, &change));
	assert_null(change);
	assert_int_equal(model_revision(c.m), revision);
}

/* requirement: MAP-1 */
static void test_changes_are_undone_from_the_last(void **state)
{
	struct interface_modify_args args = {.interface_id = ids[3], .description = "a"};
	struct change *first, *second;

	first = cluster_end_change(&c, interface_modify(cluster_tx(&c), &c.me, &args, &c.refusal));
	args.description = "b";
	second = cluster_end_change(&c, interface_modify(cluster_tx(&c), &c.me, &args, &c.refusal));
	assert_string_equal(cluster_interface(&c, ids[3])->description, "b");
	change_undo(second);
	assert_string_equal(cluster_interface(&c, ids[3])->description, "a");
	change_undo(first);
	assert_null(cluster_interface(&c, ids[3])->description);
}

static int load(struct model *m, const struct object *o)
{
	_cleanup_buf_ struct buf b;

	buf_init(&b, LIMIT_MODEL_RECORD_SIZE);
	record_encode(o, &b);
	assert_ok(buf_error(&b));
	return model_load(m, o->kind, o->id, buf_data(&b), buf_size(&b));
}

static struct model *empty_model(void)
{
	struct model_config config = {.region = "eu-west-1"};
	struct model *m;

	assert_ok(prefix_parse("fd00::/16", &config.organisation));
	assert_error(model_new(&config, &m), EINVAL);
	assert_ok(prefix_parse("fd56:6961::/32", &config.organisation));
	assert_ok(model_new(&config, &m));
	assert_string_equal(model_zone(m, 2), "eu-west-1c");
	return m;
}

/* requirement: MAP-1 */
static void test_loading_later_versions_and_deletions(void **state)
{
	_cleanup_(model_free_cleanup) struct model *m = empty_model();
	const struct interface *i = cluster_interface(&c, ids[0]);
	uint64_t id = i->o.id;
	const enum kind kinds[] = {KIND_VPC, KIND_SECURITY_GROUP, KIND_NETWORK_ACL,
				   KIND_ROUTE_TABLE};

	model_load_begin(m, 100);
	assert_ok(load(m, &i->o));
	assert_ok(load(m, &i->o)); /* a log says it again */
	/* What came before a deletion is in its place. */
	assert_ok(model_load(m, KIND_VPC, 1, NULL, 0));
	assert_int_equal(model_count(m, KIND_INTERFACE), 1);
	assert_int_equal(mapping_count(model_mappings(m)), 2); /* and its link-local address */
	assert_ok(model_load(m, KIND_INTERFACE, id, NULL, 0));
	assert_ok(model_load(m, KIND_INTERFACE, id, NULL, 0));
	assert_int_equal(model_count(m, KIND_INTERFACE), 0);
	assert_int_equal(mapping_count(model_mappings(m)), 0);
	for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
		struct model_iter it = model_iter_kind(c.m, kinds[k]);

		assert_ok(load(m, model_iter_next(&it)));
	}
	assert_ok(model_load_end(m, 77));
	assert_int_equal(model_revision(m), 77);
}

static struct interface *copy_of(const struct interface *i)
{
	struct object *copy;

	assert_ok(record_copy(&i->o, &copy));
	return (struct interface *)copy;
}

/* requirement: MAP-1, NIC-3 */
static void test_loading_addresses_that_changed_hands(void **state)
{
	_cleanup_(model_free_cleanup) struct model *m = empty_model();
	const struct interface *a = cluster_interface(&c, ids[0]),
			       *b = cluster_interface(&c, ids[1]);
	struct interface *to_a = copy_of(a), *to_b = copy_of(b);
	const uint32_t vni = a->vni;

	to_a->addrs[0] = b->addrs[0];
	to_b->addrs[0] = a->addrs[0];
	model_load_begin(m, 100);
	assert_ok(load(m, &a->o));
	assert_ok(load(m, &b->o));
	/* each other's, and one waits for the other */
	assert_ok(load(m, &to_a->o));
	assert_ok(load(m, &to_b->o));
	assert_ok(model_load(m, KIND_VPC, 1, NULL, 0)); /* what came before is in its place */
	assert_error(model_load_end(m, 1), EBADMSG);    /* but for subnets and the like */
	assert_int_equal(mapping_find(model_mappings(m), vni, &a->addrs[0].addr)->interface,
			 b->o.id);
	assert_int_equal(mapping_find(model_mappings(m), vni, &b->addrs[0].addr)->interface,
			 a->o.id);
	assert_int_equal(model_count(m, KIND_INTERFACE), 2);
	record_free(&to_a->o);
	record_free(&to_b->o);
}

/* requirement: MAP-1, NIC-3 */
static void test_who_waits_for_an_address_is_replaced_by_a_later_version(void **state)
{
	_cleanup_(model_free_cleanup) struct model *m = empty_model();
	const struct interface *a = cluster_interface(&c, ids[0]),
			       *b = cluster_interface(&c, ids[1]);
	struct interface *early = copy_of(b);

	early->addrs[0] = a->addrs[0];
	model_load_begin(m, 100);
	assert_ok(load(m, &a->o));
	assert_ok(load(m, &early->o));
	assert_ok(load(m, &b->o)); /* gave it up again */
	assert_error(model_load_end(m, 1), EBADMSG);
	assert_int_equal(mapping_find(model_mappings(m), a->vni, &a->addrs[0].addr)->interface,
			 a->o.id);
	assert_int_equal(mapping_find(model_mappings(m), b->vni, &b->addrs[0].addr)->interface,
			 b->o.id);
	record_free(&early->o);
}

static void test_loading_what_cannot_be(void **state)
{
	_cleanup_(model_free_cleanup) struct model *m = empty_model();
	const struct interface *i = cluster_interface(&c, ids[0]);
	struct object *copy;

	assert_error(model_load(m, KIND_MAX, 1, "\1", 1), EBADMSG);
	assert_error(model_load(m, KIND_VPC, 1, "\1", 1), EBADMSG);  /* no block */
	assert_error(model_load(m, KIND_HOST, 1, "\1", 1), EBADMSG); /* no name */
	assert_error(model_load(m, KIND_TOKEN, 1, "\1", 1), EBADMSG);
	assert_error(model_load(m, KIND_SUBNET, 1, "\1\15\1z", 4), EBADMSG); /* no addresses */
	assert_error(model_load(m, KIND_INTERFACE, 1, "garbage", 7), EBADMSG);
	assert_ok(load(m, &i->o));
	/* its subnet is not there */
	assert_error(model_load_end(m, 1), EBADMSG);

	assert_ok(record_copy(&i->o, &copy));
	copy->id++; /* two owners of one address */
	assert_ok(load(m, copy));
	assert_error(model_load_end(m, 1), EBADMSG);
	assert_int_equal(model_count(m, KIND_INTERFACE), 1);
	record_free(copy);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pages),
		TEST(test_an_iterator_stays_at_its_end),
		TEST(test_a_transaction_is_whole_or_nothing),
		TEST(test_what_came_and_went_is_no_change),
		TEST(test_changes_are_undone_from_the_last),
		TEST(test_loading_later_versions_and_deletions),
		TEST(test_loading_addresses_that_changed_hands),
		TEST(test_who_waits_for_an_address_is_replaced_by_a_later_version),
		TEST(test_loading_what_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
