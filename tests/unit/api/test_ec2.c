/* SPDX-License-Identifier: Apache-2.0 */
/* The Query protocol below what clients show: parameters, errors, the table of actions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/action.h"
#include "base/err.h"

#include "fixture.h"

static void expect(struct fixture *f, const char *form, int status, const char *code,
		   const char *message)
{
	struct api_answer a;
	_cleanup_free_ char *got = NULL, *text = NULL;

	fixture_ec2(f, 1, form, &a);
	got = answer_element(&a, "Code");
	text = answer_element(&a, "Message");
	if (a.status != status || !got || strcmp(got, code) || (message && strcmp(text, message)))
		fail_msg("%s: %d %s", form, a.status, answer_text(&a));
	assert_string_equal(a.content_type, "text/xml;charset=UTF-8");
	assert_non_null(strstr(answer_text(&a), a.request_id));
	api_answer_deinit(&a);
}

/* requirement: OPS-1 */
static void test_protocol_errors(void **state)
{
	static const struct {
		const char *form;
		int status;
		const char *code;
		const char *message;
	} cases[] = {
		{"", 400, "MissingAction", "The request must contain the parameter Action"},
		{"Action=", 400, "MissingAction", NULL},
		{"Action=Nonsense", 400, "InvalidAction",
		 "The action Nonsense is not valid for this web service. It is misspelt, or of a "
		 "part of EC2 that "
		 "Viaduct does not have: docs/ec2-api.md lists what it has."},
		{"Action=DescribeVpcs&Version=2000-01-01", 400, "NoSuchVersion", NULL},
		{"Action=DescribeVpcs&Nonsense=1", 400, "UnknownParameter",
		 "The parameter Nonsense is not recognized"},
		{"Action=DescribeVpcs&VpcId.0=x", 400, "UnknownParameter", NULL},
		{"Action=DescribeVpcs&VpcId.01=x", 400, "UnknownParameter", NULL},
		{"Action=DescribeVpcs&VpcId.1001=x", 400, "UnknownParameter", NULL},
		{"Action=DescribeVpcs&VpcId.99999999999999999999=x", 400, "UnknownParameter", NULL},
		{"Action=DescribeVpcs&VpcId.N=x", 400, "UnknownParameter", NULL},
		{"Action=DescribeVpcs&VpcId=x", 400, "UnknownParameter", NULL},
		{"Action=DescribeVpcs&DryRun=maybe", 400, "InvalidParameterValue", NULL},
		{"Action=DescribeVpcs&MaxResults=ten", 400, "InvalidParameterValue", NULL},
		{"Action=DescribeVpcs&MaxResults=-5", 400, "InvalidParameterValue", NULL},
		{"Action=DescribeVpcs&VpcId.1=%ff", 400, "MalformedQueryString", NULL},
		{"Action=DescribeVpcs&VpcId.1=%00", 400, "MalformedQueryString", NULL},
		{"Action=DescribeVpcs&Action=DeleteVpc", 400, "InvalidParameterCombination", NULL},
		{"Action=DeleteVpc", 400, "MissingParameter",
		 "The request must contain the parameter VpcId"},
		{"Action=DeleteVpc&VpcId=", 400, "MissingParameter", NULL},
		{"Action=TerminateInstances", 400, "MissingParameter",
		 "The request must contain the parameter InstanceId"},
		{"Action=RunInstances&MinCount=1", 400, "MissingParameter",
		 "The request must contain the parameter MaxCount"},
		{"Action=CreateTags&ResourceId.1=vpc-1", 400, "MissingParameter",
		 "The request must contain the parameter Tag"},
		{"Action=CreateTags&ResourceId.1=vpc-1&Tag.1.Value=x&Tag.2.Key=k", 400,
		 "MissingParameter", NULL},
		{"Action=DescribeVpcs&Filter.1.Value.1=x", 400, "MissingParameter", NULL},
		{"Action=DescribeVpcs&Filter.1.Name=state", 400, "MissingParameter", NULL},
		{"Action=DescribeVpcs&Filter.1.Name=x&Filter.1.Value.1=y", 400,
		 "InvalidParameterValue", "The filter 'x' is invalid"},
		/* cut in the middle of a character */
		{"Action=a%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9"
		 "%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%"
		 "C3%A9"
		 "%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%"
		 "C3%A9"
		 "%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%C3%A9%"
		 "C3%A9",
		 400, "InvalidAction", NULL},
		{"Action=DescribeVpcClassicLink", 400, "UnsupportedOperation",
		 "The functionality you requested is not available in this region. "
		 "Viaduct does not have it: DescribeVpcClassicLink"},
		{"Action=DeleteVpc&VpcId=vpc-1", 400, "InvalidVpcID.NotFound",
		 "VpcID vpc-1 does not exist."},
		{"Action=RunInstances&MinCount=1&MaxCount=1&UserData=%25", 400,
		 "InvalidUserData.Malformed", NULL},
		{"Action=ModifyVpcAttribute&VpcId=vpc-1", 400, "MissingParameter", NULL},
		{"Action=ModifyVpcAttribute&VpcId=vpc-1&EnableDnsSupport.Value=true"
		 "&EnableDnsHostnames.Value=true",
		 400, "InvalidParameterCombination", NULL},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect(f, cases[i].form, cases[i].status, cases[i].code, cases[i].message);
}

/* requirement: OPS-1 */
static void test_unsigned_requests(void **state)
{
	struct fixture *f = *state;
	struct http_header host = {"host", "x"};
	struct http_request r = {
		.method = "POST",
		.path = "/",
		.headers = &host,
		.n_headers = 1,
		.body = "Action=DescribeVpcs",
		.body_size = 19,
	};
	struct api_answer a;

	fixture_handle(f, &r, &a);
	assert_int_equal(a.status, 403);
	assert_non_null(strstr(answer_text(&a), "<Code>MissingAuthenticationToken</Code>"));
	api_answer_deinit(&a);
	/* The operator's token is not for the customers' API. */
	host = (struct http_header){"authorization", "Bearer operator"};
	fixture_handle(f, &r, &a);
	assert_int_equal(a.status, 400);
	assert_non_null(strstr(answer_text(&a), "<Code>IncompleteSignature</Code>"));
	api_answer_deinit(&a);
	r.method = "PUT";
	fixture_handle(f, &r, &a);
	assert_int_equal(a.status, 405);
	api_answer_deinit(&a);
	r.path = "/elsewhere";
	fixture_handle(f, &r, &a);
	assert_int_equal(a.status, 404);
	api_answer_deinit(&a);
}

/* Lists come in the order of their numbers, with gaps, not in the order of their text. */
static void test_order_of_lists(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *vpc =
		fixture_create(f, "Action=CreateVpc&CidrBlock=10.0.0.0/16", "vpcId");
	_cleanup_free_ char *form = NULL, *subnet = NULL, *eni = NULL;
	struct api_answer a;
	const char *p;

	assert_true(asprintf(&form, "Action=CreateSubnet&VpcId=%s&CidrBlock=10.0.1.0/24", vpc) > 0);
	subnet = fixture_create(f, form, "subnetId");
	free(form);
	assert_true(asprintf(&form,
			     "Action=CreateNetworkInterface&SubnetId=%s"
			     "&PrivateIpAddresses.10.PrivateIpAddress=10.0.1.30"
			     "&PrivateIpAddresses.2.PrivateIpAddress=10.0.1.20"
			     "&PrivateIpAddresses.1.PrivateIpAddress=10.0.1.10"
			     "&PrivateIpAddresses.1.Primary=true",
			     subnet) > 0);
	eni = fixture_create(f, form, "networkInterfaceId");
	fixture_ec2(f, 1, "Action=DescribeNetworkInterfaces", &a);
	p = strstr(answer_text(&a), "<privateIpAddressesSet>");
	assert_non_null(p);
	p = strstr(p, "10.0.1.10");
	assert_non_null(p);
	p = strstr(p, "10.0.1.20");
	assert_non_null(p);
	assert_non_null(strstr(p, "10.0.1.30"));
	api_answer_deinit(&a);
}

/* A host that does not answer leaves things where they are.
 * requirement: OPS-3 */
static void test_host_does_not_answer(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *vpc =
		fixture_create(f, "Action=CreateVpc&CidrBlock=10.0.0.0/16", "vpcId");
	_cleanup_free_ char *form = NULL, *subnet = NULL, *instance = NULL;
	struct api_answer a;

	assert_true(asprintf(&form, "Action=CreateSubnet&VpcId=%s&CidrBlock=10.0.1.0/24", vpc) > 0);
	subnet = fixture_create(f, form, "subnetId");
	free(form);
	f->hosts_answer = false;
	assert_true(asprintf(&form, "Action=RunInstances&MinCount=1&MaxCount=1&SubnetId=%s",
			     subnet) > 0);
	instance = fixture_create(f, form, "instanceId");
	fixture_ec2(f, 1, "Action=DescribeInstances", &a);
	assert_non_null(strstr(answer_text(&a), "<name>pending</name>"));
	assert_non_null(strstr(answer_text(&a), "<status>attaching</status>"));
	api_answer_deinit(&a);
	f->hosts_answer = true;
	fixture_ec2(f, 1, "Action=DescribeInstances", &a);
	api_answer_deinit(&a);
	fixture_ec2(f, 1, "Action=DescribeInstances", &a);
	assert_non_null(strstr(answer_text(&a), "<name>running</name>"));
	api_answer_deinit(&a);
}

/* What was handed to the manager: writes have a change, everything else has none. */
static void test_changes(void **state)
{
	struct fixture *f = *state;
	uint64_t before = model_revision(f->model);
	struct api_answer a;

	f->hosts_answer = false;
	fixture_ec2(f, 1, "Action=DescribeVpcs", &a);
	api_answer_deinit(&a);
	fixture_ec2(f, 1, "Action=CreateVpc&CidrBlock=10.0.0.0/16&DryRun=true", &a);
	assert_int_equal(a.status, 412);
	api_answer_deinit(&a);
	fixture_ec2(f, 1, "Action=CreateVpc&CidrBlock=10.0.0.0/8", &a);
	assert_int_equal(a.status, 400);
	api_answer_deinit(&a);
	assert_int_equal(model_revision(f->model), before);
	assert_int_equal(model_count(f->model, KIND_VPC), 0);
	fixture_ec2(f, 1, "Action=CreateVpc&CidrBlock=10.0.0.0/16", &a);
	assert_int_equal(a.status, 200);
	api_answer_deinit(&a);
	assert_int_equal(model_revision(f->model), before + 1);
}

/* requirement: OPS-3 */
static void test_broken_store(void **state)
{
	struct fixture *f = *state;
	struct api_answer a;

	fixture_ec2(f, 1, "Action=CreateVpc&CidrBlock=10.0.0.0/16", &a);
	api_answer_refuse(&a, "no space left on device");
	assert_int_equal(a.status, 503);
	assert_non_null(strstr(answer_text(&a), "<Code>Unavailable</Code>"));
	assert_non_null(strstr(answer_text(&a), "no space left on device"));
	assert_null(strstr(answer_text(&a), "vpcId"));
	api_answer_deinit(&a);
}

/* The table itself: every handler is there, names occur once, lists have what lists need. */
static void test_table(void **state)
{
	const struct action *table;
	size_t n;

	table = actions(&n);
	assert_true(n > 40);
	for (size_t i = 0; i < n; i++) {
		const struct action *a = &table[i];

		assert_ptr_equal(action_find(a->name), a);
		assert_true(a->effect == ACTION_REFUSES || (a->handle && a->text));
		for (size_t k = 0; k < a->n_params; k++)
			for (size_t l = 0; l < k; l++)
				assert_string_not_equal(a->params[k].pattern, a->params[l].pattern);
		for (const struct filter *x = a->filters; x && x->name; x++)
			assert_non_null(x->values);
	}
	assert_null(action_find("nonsense"));
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, fixture_set_up, fixture_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_protocol_errors), TEST(test_unsigned_requests),
		TEST(test_order_of_lists),  TEST(test_host_does_not_answer),
		TEST(test_changes),         TEST(test_broken_store),
		TEST(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
