/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A form of the EC2 Query protocol, correctly signed: through parameters, actions, filters, pages and
 * the model to an answer, which must be well-formed XML and never an internal error.
 */
#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/api/fixture.h"

/* The model grows; it begins anew now and then. */
enum { RUNS_PER_MODEL = 2000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the seeds name: a VPC, a subnet and an instance with its interface. */
static char *create(struct fixture *f, const char *format, const char *parent, const char *element)
{
	struct api_answer answer;
	char form[512], *id;

	snprintf(form, sizeof(form), format, parent);
	fixture_ec2(f, 1, form, &answer);
	id = answer_element(&answer, element);
	if (!id)
		abort();
	api_answer_deinit(&answer);
	return id;
}

static void populate(struct fixture *f)
{
	char *vpc, *subnet, *instance;

	vpc = create(f, "Action=CreateVpc&CidrBlock=10.0.0.0/16%s", "", "vpcId");
	subnet = create(f, "Action=CreateSubnet&CidrBlock=10.0.1.0/24&VpcId=%s", vpc, "subnetId");
	instance = create(f, "Action=RunInstances&MinCount=1&MaxCount=1&SubnetId=%s", subnet,
			  "instanceId");
	free(vpc);
	free(subnet);
	free(instance);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fixture f;
	static unsigned int n_runs;
	struct api_answer answer;
	xmlDoc *doc;
	char *form;

	if (n_runs++ % RUNS_PER_MODEL == 0) {
		if (n_runs > 1)
			fixture_deinit(&f);
		fixture_init(&f, false);
		populate(&f);
	}
	form = strndup((const char *)data, size);
	fixture_ec2(&f, 1, form, &answer);
	free(form);
	if (answer.status >= 500 && !strstr(answer_text(&answer), "InsufficientInstanceCapacity"))
		abort();
	doc = xmlReadMemory((const char *)buf_data(&answer.body), (int)buf_size(&answer.body), "",
			    NULL, XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_HUGE);
	if (!doc)
		abort();
	xmlFreeDoc(doc);
	api_answer_deinit(&answer);
	return 0;
}
