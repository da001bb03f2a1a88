/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A form of the EC2 Query protocol, correctly signed: through parameters, actions, filters, pages
 * and the model to an answer, which must be well-formed XML and never an internal error.
 *
 * Ids cannot be guessed: "@" and a letter stand for that of the object in the table below, in the
 * seeds and in what is made of them.
 */
#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/api/fixture.h"
#include "base/buf.h"

/* The model grows; it begins anew now and then. */
enum { RUNS_PER_MODEL = 2000, FORM_MAX = 65536 };

/* @a, @b, ...: the element of the form's answer; without a form, of the answer before. */
static const struct {
	const char *form, *element;
} objects[] = {
	{"Action=CreateVpc&CidrBlock=10.1.0.0/16&AmazonProvidedIpv6CidrBlock=true", "vpcId"},
	{"Action=CreateSubnet&CidrBlock=10.1.1.0/24&VpcId=@a", "subnetId"},
	{"Action=RunInstances&MinCount=1&MaxCount=1&SubnetId=@b", "instanceId"},
	{NULL, "networkInterfaceId"},
	{NULL, "attachmentId"},
	{"Action=CreateSecurityGroup&GroupName=g&GroupDescription=g&VpcId=@a", "groupId"},
	{"Action=CreateInternetGateway", "internetGatewayId"},
	{"Action=CreateRouteTable&VpcId=@a", "routeTableId"},
	{"Action=CreateNetworkAcl&VpcId=@a", "networkAclId"},
	{"Action=CreateManagedPrefixList&PrefixListName=p&AddressFamily=IPv4&MaxEntries=5",
	 "prefixListId"},
	{"Action=CreateDhcpOptions&DhcpConfiguration.1.Key=domain-name&DhcpConfiguration.1.Value.1="
	 "x.example",
	 "dhcpOptionsId"},
	{"Action=CreateNetworkInterface&SubnetId=@b", "networkInterfaceId"},
	{"Action=CreateVpc&CidrBlock=10.0.0.0/16", "vpcId"},
	{"Action=CreateVpcPeeringConnection&VpcId=@a&PeerVpcId=@m", "vpcPeeringConnectionId"},
	{"Action=CreateEgressOnlyInternetGateway&VpcId=@a", "egressOnlyInternetGatewayId"},
	{"Action=AttachInternetGateway&InternetGatewayId=@g&VpcId=@a", "return"},
	{"Action=AllocateAddress&Domain=vpc", "allocationId"},
	{"Action=AllocateAddress&Domain=vpc", "allocationId"},
	{"Action=CreateNatGateway&SubnetId=@b&AllocationId=@r", "natGatewayId"},
	{"Action=CreateNetworkInsightsPath&Source=@d&Destination=@l&Protocol=tcp&DestinationPort="
	 "80",
	 "networkInsightsPathId"},
	{"Action=CreateTrafficMirrorFilter", "trafficMirrorFilterId"},
	{"Action=CreateTrafficMirrorTarget&NetworkInterfaceId=@l", "trafficMirrorTargetId"},
	{"Action=AssociateRouteTable&RouteTableId=@h&SubnetId=@b", "associationId"},
	{"Action=CreatePlacementGroup&GroupName=spread&Strategy=spread", "groupId"},
};

static char *ids[ARRAY_SIZE(objects)];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The form with the objects' ids, to be freed. */
static char *expand(const char *form, size_t size)
{
	struct buf out;
	char *text;
	size_t n;

	buf_init(&out, FORM_MAX);
	for (size_t i = 0; i < size && form[i]; i++) {
		size_t object =
			i + 1 < size && form[i] == '@' ? (size_t)(form[i + 1] - 'a') : SIZE_MAX;

		if (object < ARRAY_SIZE(ids) && ids[object]) {
			buf_put_str(&out, ids[object]);
			i++;
		} else {
			buf_put_u8(&out, (uint8_t)form[i]);
		}
	}
	if (buf_take(&out, &text, &n))
		abort();
	return text;
}

static void ask(struct fixture *f, const char *form, size_t size, struct api_answer *ret)
{
	char *expanded = expand(form, size);

	fixture_ec2(f, 1, expanded, ret);
	free(expanded);
}

static void populate(struct fixture *f)
{
	struct api_answer answer = {};

	fixture_operator(f, "POST", "/v1/hosts", NULL,
			 "{\"name\":\"e1\",\"v6\":\"fd00::e1\",\"edge\":true}", &answer);
	api_answer_deinit(&answer);
	fixture_operator(f, "POST", "/v1/pools", NULL, "{\"cidr\":\"198.51.100.0/28\"}", &answer);
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
		if (objects[i].form) {
			api_answer_deinit(&answer);
			ask(f, objects[i].form, strlen(objects[i].form), &answer);
		}
		free(ids[i]);
		ids[i] = answer_element(&answer, objects[i].element);
		if (!ids[i]) {
			fprintf(stderr, "%s\n", answer_text(&answer));
			abort();
		}
	}
	api_answer_deinit(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fixture f;
	static unsigned int n_runs;
	struct api_answer answer;
	xmlDoc *doc;

	if (n_runs++ % RUNS_PER_MODEL == 0) {
		if (n_runs > 1)
			fixture_deinit(&f);
		fixture_init(&f, false);
		populate(&f);
	}
	ask(&f, (const char *)data, size, &answer);
	if (answer_is_fault(&answer))
		abort();
	doc = xmlReadMemory((const char *)buf_data(&answer.body), (int)buf_size(&answer.body), "",
			    NULL, XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_HUGE);
	if (!doc)
		abort();
	xmlFreeDoc(doc);
	api_answer_deinit(&answer);
	return 0;
}
