/* SPDX-License-Identifier: Apache-2.0 */
/* DHCP options sets, and the one named "default" that VPCs have when they were given none. */
#include "api/describe.h"
#include "api/dhcp_options_view.h"
#include "api/handlers.h"
#include "api/param.h"
#include "base/str.h"
#include "model/dhcp_options.h"
#include "model/names.h"
#include "model/vpc.h"

/* In no index: its id is 0, as in a VPC that has it. */
static const struct dhcp_options default_options = {.o.kind = KIND_DHCP_OPTIONS};

const char *dhcp_options_id(const struct vpc *v, char buf[static ID_TEXT_SIZE])
{
	return v->dhcp_options ? id_text(KIND_DHCP_OPTIONS, v->dhcp_options, buf)
			       : DHCP_OPTIONS_DEFAULT;
}

static bool is_default(const struct dhcp_options *d)
{
	return !d->o.id;
}

/* Calls 'fn' for each key with its first value and, one by one, the others. */
static void each_option(const struct model *m, const struct dhcp_options *d,
			void (*fn)(void *data, const char *key, const char *value), void *data)
{
	char domain[NAMES_SIZE];

	if (is_default(d)) {
		fn(data, "domain-name", names_domain(model_region(m), domain));
		fn(data, "domain-name-servers", DHCP_OPTIONS_PROVIDED);
	}
	for (size_t i = 0; i < d->n_options; i++)
		fn(data, d->options[i].key, d->options[i].value);
}

struct option_writer {
	struct ec2_call *c;
	const char *key; /* that is open; NULL: none */
};

static void close_option(struct option_writer *w)
{
	if (!w->key)
		return;
	xml_close(w->c->xml);
	xml_close(w->c->xml);
}

static void write_option(void *data, const char *key, const char *value)
{
	struct option_writer *w = data;

	if (!w->key || !str_equal(w->key, key)) {
		close_option(w);
		w->key = key;
		xml_open(w->c->xml, "item");
		xml_text(w->c->xml, "key", key);
		xml_open(w->c->xml, "valueSet");
	}
	xml_open(w->c->xml, "item");
	xml_text(w->c->xml, "value", value);
	xml_close(w->c->xml);
}

static void write_dhcp_options(struct ec2_call *c, const struct dhcp_options *d)
{
	struct option_writer w = {.c = c};

	if (is_default(d))
		xml_text(c->xml, "dhcpOptionsId", DHCP_OPTIONS_DEFAULT);
	else
		ec2_write_id(c, "dhcpOptionsId", KIND_DHCP_OPTIONS, d->o.id);
	ec2_write_owner(c, "ownerId", is_default(d) ? c->caller.account : d->o.account);
	xml_open(c->xml, "dhcpConfigurationSet");
	each_option(c->model, d, write_option, &w);
	close_option(&w);
	xml_close(c->xml);
	ec2_write_tags(c, &d->o);
}

/* DhcpConfiguration.N.Key and .Value.M: '*ret' lives as long as the call. */
static int read_options(struct ec2_call *c, struct dhcp_option_args *ret, size_t max, size_t *ret_n)
{
	const uint32_t *indices;
	int r = param_indices(c, "DhcpConfiguration", &indices, ret_n);

	if (!r && *ret_n > max)
		return ec2_refuse_value(c, "dhcpConfiguration", "", "There are too many options.");
	for (size_t i = 0; i < *ret_n && !r; i++) {
		const char *key = param_name(c, "DhcpConfiguration.%u.Key", indices[i]);
		const char *values = param_name(c, "DhcpConfiguration.%u.Value", indices[i]);

		if (!key || !values)
			return -ENOMEM;
		ret[i].key = param_text(c, key);
		if (!ret[i].key)
			return ec2_refuse_missing(c, key);
		r = param_list(c, values, &ret[i].values, &ret[i].n_values);
	}
	return r;
}

int action_create_dhcp_options(struct ec2_call *c)
{
	static const char *const taggable[] = {"dhcp-options", NULL};
	struct dhcp_option_args options[16];
	struct dhcp_options_args args = {.options = options};
	const struct dhcp_options *d;
	int r = read_options(c, options, ARRAY_SIZE(options), &args.n_options);

	if (!r)
		r = param_tag_specification(c, "dhcp-options", taggable, &args.tags, &args.n_tags);
	if (!r)
		r = dhcp_options_create(c->tx, &c->caller, &args, &d, &c->refusal);
	if (r)
		return r;
	xml_open(c->xml, "dhcpOptions");
	write_dhcp_options(c, d);
	xml_close(c->xml);
	return 0;
}

int action_delete_dhcp_options(struct ec2_call *c)
{
	int r = dhcp_options_delete(c->tx, &c->caller, param_text(c, "DhcpOptionsId"), &c->refusal);

	if (!r)
		ec2_write_return(c);
	return r;
}

int action_associate_dhcp_options(struct ec2_call *c)
{
	int r = dhcp_options_associate(c->tx, &c->caller, param_text(c, "DhcpOptionsId"),
				       param_text(c, "VpcId"), &c->refusal);

	if (!r)
		ec2_write_return(c);
	return r;
}

/* ---- describing ---- */

static int find(const struct model *m, const struct caller *caller, const char *id,
		const struct object **ret, struct refusal *reterr)
{
	const struct dhcp_options *d = &default_options;
	int r = str_equal(id, DHCP_OPTIONS_DEFAULT) ? 0
						    : dhcp_options_find(m, caller, id, &d, reterr);

	if (!r)
		*ret = &d->o;
	return r;
}

static void by_id(struct filter_probe *p, const void *item)
{
	if (is_default(item))
		filter_text(p, DHCP_OPTIONS_DEFAULT);
	else
		filter_id(p, KIND_DHCP_OPTIONS, ((const struct object *)item)->id);
}

static void probe_key(void *data, const char *key, const char *value)
{
	filter_text(data, key);
}

static void by_key(struct filter_probe *p, const void *item)
{
	each_option(p->call->model, item, probe_key, p);
}

static void probe_value(void *data, const char *key, const char *value)
{
	filter_text(data, value);
}

static void by_value(struct filter_probe *p, const void *item)
{
	each_option(p->call->model, item, probe_value, p);
}

static void by_owner(struct filter_probe *p, const void *item)
{
	filter_owner(p, is_default(item) ? p->call->caller.account
					 : ((const struct object *)item)->account);
}

const struct filter dhcp_filters[] = {
	{"dhcp-options-id", by_id},
	{"key", by_key},
	{"owner-id", by_owner},
	{"value", by_value},
	{},
};

static void write_item(struct ec2_call *c, const struct object *o, void *data)
{
	xml_open(c->xml, "item");
	write_dhcp_options(c, (const struct dhcp_options *)o);
	xml_close(c->xml);
}

/* At the end of the first page of all: the default set. */
static void write_default(struct ec2_call *c, void *data)
{
	const struct filter_set *filters = data;

	if (filter_passes(c, filters, &default_options, &default_options.o))
		write_item(c, &default_options.o, NULL);
}

int action_describe_dhcp_options(struct ec2_call *c)
{
	static const struct describe_group groups[] = {{}};
	static const struct describe d = {
		.kind = KIND_DHCP_OPTIONS,
		.ids = "DhcpOptionsId",
		.find = find,
		.filters = dhcp_filters,
		.groups = groups,
		.write = write_item,
	};
	const char *const *ids;
	struct filter_set filters;
	size_t n;
	int r = param_list(c, "DhcpOptionsId", &ids, &n);

	if (!r)
		r = filter_parse(c, dhcp_filters, true, &filters);
	if (r)
		return r;
	if (n || param_text(c, "NextToken"))
		return describe_run(c, &d, "dhcpOptionsSet", NULL, NULL);
	return describe_run(c, &d, "dhcpOptionsSet", write_default, &filters);
}
