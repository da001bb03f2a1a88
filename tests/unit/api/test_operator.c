/* SPDX-License-Identifier: Apache-2.0 */
/* Of the operators' API what needs a fixture of its own: drops, releases, a broken store. */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "abi/drop.h"
#include "abi/format.h"
#include "base/err.h"
#include "base/clock.h"
#include "model/holders.h"
#include "model/host.h"
#include "model/tx.h"
#include "model/usage.h"
#include "api/state.h"
#include "model/vpc.h"

#include "fixture.h"

static json_t *get(struct fixture *f, const char *path, const char *query)
{
	struct api_answer a;
	json_t *o;

	fixture_operator(f, "GET", path, query, NULL, &a);
	if (a.status != 200)
		fail_msg("%s: %d %s", path, a.status, answer_text(&a));
	o = json_loads(answer_text(&a), 0, NULL);
	assert_non_null(o);
	api_answer_deinit(&a);
	return o;
}

/* An instance of account 1; the ids are freed by the caller. */
static char *run(struct fixture *f, char **ret_subnet)
{
	_cleanup_free_ char *vpc =
		fixture_create(f, "Action=CreateVpc&CidrBlock=10.0.0.0/16", "vpcId");
	_cleanup_free_ char *make_subnet = NULL, *make_instance = NULL;

	assert_true(asprintf(&make_subnet, "Action=CreateSubnet&VpcId=%s&CidrBlock=10.0.1.0/24",
			     vpc) > 0);
	*ret_subnet = fixture_create(f, make_subnet, "subnetId");
	assert_true(asprintf(&make_instance,
			     "Action=RunInstances&MinCount=1&MaxCount=1&SubnetId=%s"
			     "&PrivateIpAddress=10.0.1.10",
			     *ret_subnet) > 0);
	return fixture_create(f, make_instance, "instanceId");
}

static const char *interface_of(struct fixture *f, char ret[static 32])
{
	json_t *o = get(f, "/v1/interfaces", NULL);
	json_t *first = json_array_get(json_object_get(o, "interfaces"), 0);

	snprintf(ret, 32, "%s", json_string_value(json_object_get(first, "id")));
	json_decref(o);
	return ret;
}

/* requirement: PKT-15 */
static void test_drops(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *subnet = NULL, *instance = run(f, &subnet);
	json_t *o, *list, *first;
	char query[64];

	f->drops[0] = (struct api_drop){.host = 1,
					.interface_id = interface_of(f, f->drop_interface),
					.reason = DROP_SOURCE_ADDR,
					.packets = 7};
	f->drops[1] = (struct api_drop){.host = 2, .reason = DROP_SPOOF, .packets = 3};
	f->drops[2] = (struct api_drop){.host = 2, .reason = DROP_REASON_MAX + 5, .packets = 1};
	f->n_drops = 3;
	o = get(f, "/v1/drops", NULL);
	list = json_object_get(o, "drops");
	assert_int_equal(json_array_size(list), 3);
	first = json_array_get(list, 0);
	assert_string_equal(json_string_value(json_object_get(first, "reason")), "SOURCE_ADDR");
	assert_string_equal(json_string_value(json_object_get(first, "host")), "h1");
	assert_int_equal(json_integer_value(json_object_get(first, "packets")), 7);
	assert_true(json_is_null(json_object_get(json_array_get(list, 1), "interface")));
	json_decref(o);
	o = get(f, "/v1/drops", "host=h2");
	assert_int_equal(json_array_size(json_object_get(o, "drops")), 2);
	json_decref(o);
	snprintf(query, sizeof(query), "interface=%s", f->drops[0].interface_id);
	o = get(f, "/v1/drops", query);
	assert_int_equal(json_array_size(json_object_get(o, "drops")), 1);
	json_decref(o);
	/* one that is gone is told what it dropped, one that never was is not there */
	f->drops[0].interface_id = "eni-00000000000000001";
	o = get(f, "/v1/drops", "interface=eni-00000000000000001");
	assert_int_equal(json_array_size(json_object_get(o, "drops")), 1);
	json_decref(o);
}

/* An address that a host may still hold is not given away until an operator forces it.
 * requirement: MAP-3 OPS-1 */
static void test_release(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *subnet = NULL, *instance = run(f, &subnet);
	_cleanup_free_ char *form = NULL, *again = NULL, *path = NULL;
	struct api_answer a;
	struct ipaddr addr;
	json_t *o, *list, *m;

	assert_int_equal(ipaddr_parse("10.0.1.10", &addr), 0);
	o = get(f, "/v1/mappings", NULL);
	m = json_array_get(json_object_get(o, "mappings"), 0);
	assert_int_equal(holders_add(model_holders(f->model),
				     (uint32_t)json_integer_value(json_object_get(m, "vni")), &addr,
				     2, 1, UINT64_MAX),
			 0);
	assert_true(asprintf(&path, "/v1/releases/%s/10.0.1.10",
			     json_string_value(json_object_get(m, "network"))) > 0);
	json_decref(o);
	o = get(f, "/v1/mappings", NULL);
	m = json_array_get(json_object_get(o, "mappings"), 0);
	assert_int_equal(json_integer_value(json_object_get(m, "holders")), 1);
	json_decref(o);

	assert_true(asprintf(&form, "Action=TerminateInstances&InstanceId.1=%s", instance) > 0);
	fixture_ec2(f, 1, form, &a);
	assert_int_equal(a.status, 200);
	api_answer_deinit(&a);
	o = get(f, "/v1/releases", NULL);
	list = json_object_get(o, "releases");
	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "address")),
			    "10.0.1.10");
	json_decref(o);
	assert_true(asprintf(&again,
			     "Action=CreateNetworkInterface&SubnetId=%s&PrivateIpAddress=10.0.1.10",
			     subnet) > 0);
	fixture_ec2(f, 1, again, &a);
	assert_non_null(strstr(answer_text(&a), "InvalidIPAddress.InUse"));
	api_answer_deinit(&a);

	fixture_operator(f, "DELETE", path, NULL, NULL, &a);
	assert_int_equal(a.status, 200);
	api_answer_deinit(&a);
	fixture_ec2(f, 1, again, &a);
	assert_int_equal(a.status, 200);
	api_answer_deinit(&a);
}

/* requirement: OPS-3 */
static void test_broken_store(void **state)
{
	struct fixture *f = *state;
	struct api_answer a;
	json_t *o, *store;

	f->store_broken = true;
	o = get(f, "/v1/status", NULL);
	store = json_object_get(o, "store");
	assert_string_equal(json_string_value(json_object_get(store, "state")), "broken");
	assert_string_equal(json_string_value(json_object_get(store, "error")), "no space left");
	json_decref(o);
	fixture_operator(f, "POST", "/v1/accounts", NULL, "{}", &a);
	api_answer_refuse(&a, "no space left");
	assert_int_equal(a.status, 503);
	assert_non_null(strstr(answer_text(&a), "\"Unavailable\""));
	api_answer_deinit(&a);
}

/* Whatever is quoted, an error stays JSON. */
static void test_bytes_in_messages(void **state)
{
	struct fixture *f = *state;
	struct api_answer a;
	json_t *o;

	fixture_operator(f, "G\x8dT", "/v1/status", NULL, NULL, &a);
	assert_int_equal(a.status, 405);
	o = json_loads(answer_text(&a), 0, NULL);
	assert_non_null(o);
	json_decref(o);
	api_answer_deinit(&a);
}

/* A list goes on behind a page when the manager was restarted, and not under another cluster's
 * key. */
static void test_pages_outlive_the_process(void **state)
{
	static const uint8_t keys[][32] = {{1}, {2}};
	struct fixture *f = *state;
	struct api_config config = {
		.model = f->model,
		.clock = &f->clock,
		.live = &f->live,
		.operator_token_sha256 = f->api->operator_token_sha256,
		.page_key = keys[0],
	};
	struct api_answer a;
	struct api *next;
	char query[400];
	json_t *o;

	assert_int_equal(api_new(&config, &next), 0);
	api_free(f->api);
	f->api = next;
	o = get(f, "/v1/hosts", "limit=1");
	snprintf(query, sizeof(query), "next=%s", json_string_value(json_object_get(o, "next")));
	json_decref(o);
	config.operator_token_sha256 = f->api->operator_token_sha256;
	assert_int_equal(api_new(&config, &next), 0);
	api_free(f->api);
	f->api = next;
	o = get(f, "/v1/hosts", query);
	assert_string_equal(json_string_value(json_object_get(
				    json_array_get(json_object_get(o, "hosts"), 0), "name")),
			    "h2");
	json_decref(o);
	config.page_key = keys[1];
	config.operator_token_sha256 = f->api->operator_token_sha256;
	assert_int_equal(api_new(&config, &next), 0);
	api_free(f->api);
	f->api = next;
	fixture_operator(f, "GET", "/v1/hosts", query, NULL, &a);
	assert_int_equal(a.status, 400);
	api_answer_deinit(&a);
}

/* An empty list would say that it is there, and empty. */
static void test_what_is_not_there_is_no_empty_list(void **state)
{
	static const struct {
		const char *path, *query, *hint;
	} rows[] = {
		{"/v1/mappings", "network=vpc-00000000000000000", "see /v1/"},
		{"/v1/mappings", "network=nonsense", "see /v1/"},
		{"/v1/mappings", "host=h9", "viaduct hosts"},
		{"/v1/subnets", "network=vpc-00000000000000001", "see /v1/"},
		{"/v1/instances", "subnet=subnet-00000000000000001", "see /v1/"},
		{"/v1/interfaces", "instance=i-00000000000000001", "see /v1/"},
	};
	struct fixture *f = *state;
	struct api_answer a;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		fixture_operator(f, "GET", rows[i].path, rows[i].query, NULL, &a);
		if (a.status != 404 || !strstr(answer_text(&a), rows[i].hint))
			fail_msg("%s?%s: %d %s", rows[i].path, rows[i].query, a.status,
				 answer_text(&a));
		api_answer_deinit(&a);
	}
	json_decref(get(f, "/v1/mappings", "host=h1"));
}

static void use(struct fixture *f, const char *interface)
{
	struct usage u = {.sum.tx_bytes = 5, .reported_ms = clock_wall_ms(&f->clock)};
	struct tx *tx;
	struct change *change;

	assert_int_equal(id_parse(KIND_INTERFACE, interface, &u.o.id), 0);
	assert_int_equal(tx_begin(f->model, clock_wall_ms(&f->clock), &tx), 0);
	assert_int_equal(usage_put(tx, &u), 0);
	assert_int_equal(tx_end(tx, &change), 0);
	change_free(change);
}

/* How many interfaces are listed to whom; 0: the operator. */
static size_t count_used(struct fixture *f, int account, const char *query, int status)
{
	struct api_answer a;
	size_t n = 0;
	json_t *o;

	if (account)
		fixture_account(f, account, "/v1/usage", query, &a);
	else
		fixture_operator(f, "GET", "/v1/usage", query, NULL, &a);
	if (a.status != status)
		fail_msg("%d: %s: %d %s", account, query ?: "", a.status, answer_text(&a));
	o = json_loads(answer_text(&a), 0, NULL);
	n = json_array_size(json_object_get(o, "usage"));
	json_decref(o);
	api_answer_deinit(&a);
	return n;
}

/* Who pays sees what for, whosever it is, and nobody else's bills.  requirement: NIC-1 OPS-1 OPS-2 */
static void test_usage_by_payer(void **state)
{
	static const char first[] = "payer=111111111111", second[] = "payer=222222222222";
	struct fixture *f = *state;
	_cleanup_free_ char *subnet = NULL, *instance = run(f, &subnet), *path = NULL;
	char interface[32];
	struct api_answer a;
	json_t *o;

	use(f, interface_of(f, interface));
	assert_int_equal(count_used(f, 1, NULL, 200), 1);
	assert_int_equal(count_used(f, 1, first, 200), 1);
	assert_int_equal(count_used(f, 2, NULL, 200), 0);
	assert_int_equal(count_used(f, 2, second, 200), 0);
	assert_true(asprintf(&path, "/v1/interfaces/%s", interface) > 0);
	fixture_operator(f, "PUT", path, NULL, "{\"billing_account\": \"222222222222\"}", &a);
	assert_int_equal(a.status, 200);
	api_answer_deinit(&a);
	use(f, interface);
	/* its own yet, and what it paid for before stays */
	assert_int_equal(count_used(f, 1, NULL, 200), 2);
	assert_int_equal(count_used(f, 1, first, 200), 1);
	assert_int_equal(count_used(f, 2, NULL, 200), 0);
	assert_int_equal(count_used(f, 2, second, 200), 1);
	assert_int_equal(count_used(f, 0, second, 200), 1);
	assert_int_equal(count_used(f, 0, first, 200), 1);
	/* others' bills, nobody's, nonsense */
	assert_int_equal(count_used(f, 1, second, 404), 0);
	assert_int_equal(count_used(f, 2, first, 404), 0);
	assert_int_equal(count_used(f, 0, "payer=333333333333", 404), 0);
	assert_int_equal(count_used(f, 0, "payer=", 404), 0);
	/* and the numbers are the latest */
	assert_int_equal(id_parse(KIND_INTERFACE, interface, &f->used), 0);
	o = get(f, "/v1/usage", "payer=222222222222&limit=1");
	assert_null(json_object_get(o, "next"));
	assert_int_equal(json_integer_value(json_object_get(
				 json_array_get(json_object_get(o, "usage"), 0), "tx_bytes")),
			 295); /* without what the first one paid for */
	json_decref(o);
}

/* The host has probed: with an error, what it had found before stays. */
static void report(struct fixture *f, uint32_t number, const char *error)
{
	struct capabilities can = {.formats = FORMAT_BIT(FORMAT_SIIT_2),
				   .substrate_mtu = 1500,
				   .probed_ms = clock_wall_ms(&f->clock),
				   .error = (char *)(uintptr_t)error};
	struct refusal refusal;
	struct change *change;
	struct tx *tx;

	assert_int_equal(tx_begin(f->model, clock_wall_ms(&f->clock), &tx), 0);
	assert_int_equal(host_report(tx, number, &can, &refusal), 0);
	assert_int_equal(tx_end(tx, &change), 0);
	change_free(change);
}

static void check_metrics(struct fixture *f, const char *const lines[], size_t n)
{
	struct api_answer a;

	fixture_operator(f, "GET", "/metrics", NULL, NULL, &a);
	assert_int_equal(a.status, 200);
	for (size_t i = 0; i < n; i++)
		if (!strstr(answer_text(&a), lines[i]))
			fail_msg("%s is not in\n%s", lines[i], answer_text(&a));
	api_answer_deinit(&a);
}

/* requirement: NEG-1, OPS-1 */
static void test_probes_that_fail_are_told(void **state)
{
	static const char *const failed[] = {"\nviaduct_host_probe_failed{host=\"h1\"} 0\n",
					     "\nviaduct_host_probe_failed{host=\"h2\"} 1\n",
					     "\nviaduct_host_capable{host=\"h2\"} 1\n"};
	static const char *const well[] = {"\nviaduct_host_probe_failed{host=\"h1\"} 0\n",
					   "\nviaduct_host_probe_failed{host=\"h2\"} 0\n"};
	struct fixture *f = *state;

	check_metrics(f, well, ARRAY_SIZE(well));
	report(f, 2, "the programs cannot be loaded");
	check_metrics(f, failed, ARRAY_SIZE(failed));
	report(f, 2, NULL);
	check_metrics(f, well, ARRAY_SIZE(well));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_drops),
		TEST(test_release),
		TEST(test_broken_store),
		TEST(test_bytes_in_messages),
		TEST(test_pages_outlive_the_process),
		TEST(test_what_is_not_there_is_no_empty_list),
		TEST(test_usage_by_payer),
		TEST(test_probes_that_fail_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
