/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DHCP options sets.  See dhcp_options.h.
 */
#include "model/dhcp_options.h"

#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "model/edit.h"
#include "model/vpc.h"

enum value_type { VALUE_DOMAIN, VALUE_DNS, VALUE_ADDR, VALUE_NODE };

static const struct {
	const char *key;
	enum value_type type;
	size_t max;
} keys[] = {
	{"domain-name", VALUE_DOMAIN, 1},
	{"domain-name-servers", VALUE_DNS, DHCP_SERVERS_MAX},
	{"ntp-servers", VALUE_ADDR, DHCP_SERVERS_MAX},
	{"netbios-name-servers", VALUE_ADDR, DHCP_SERVERS_MAX},
	{"netbios-node-type", VALUE_NODE, 1},
};

int dhcp_options_find(const struct model *m, const struct caller *c, const char *id,
		      const struct dhcp_options **ret, struct refusal *reterr)
{
	const struct object *o = NULL;
	uint64_t number;

	if (!id_parse(KIND_DHCP_OPTIONS, id, &number))
		o = model_get(m, KIND_DHCP_OPTIONS, number);
	if (!o || !caller_sees(c, o))
		return refuse(reterr, MODEL_E_DHCP_OPTIONS_NOT_FOUND, id);
	*ret = (const struct dhcp_options *)o;
	return 0;
}

/* RFC 1035 labels, or what EC2 takes beside: anything printable without blanks would reach nodes'
 * files. */
static bool is_domain(const char *s)
{
	static const char allowed[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_";
	size_t n = strlen(s);

	return n && n < LIMIT_MODEL_TEXT && strspn(s, allowed) == n && s[0] != '.' && s[0] != '-';
}

/* A unicast IPv4 address, which is what DHCP's options have room for (RFC 2132). */
static bool is_server(const char *s)
{
	struct ipaddr a;

	return !ipaddr_parse(s, &a) && ipaddr_is_v4(&a) && a.b[12] && a.b[12] < 224;
}

static bool is_value(enum value_type type, const char *s)
{
	switch (type) {
	case VALUE_DOMAIN:
		return is_domain(s);
	case VALUE_DNS:
		return str_equal(s, DHCP_OPTIONS_PROVIDED) || is_server(s);
	case VALUE_ADDR:
		return is_server(s);
	case VALUE_NODE:
		return str_equal(s, "1") || str_equal(s, "2") || str_equal(s, "4") ||
		       str_equal(s, "8");
	}
	return false;
}

static int check_option(const struct dhcp_option_args *option, struct refusal *reterr)
{
	size_t k = 0;

	while (k < ARRAY_SIZE(keys) && !str_equal(keys[k].key, option->key))
		k++;
	if (k == ARRAY_SIZE(keys))
		return refuse(reterr, MODEL_E_VALUE, option->key, "key",
			      "Unknown DHCP option. It is domain-name, domain-name-servers, "
			      "ntp-servers, netbios-name-servers or netbios-node-type.");
	if (!option->n_values)
		return refuse(reterr, MODEL_E_MISSING, "Value");
	if (option->n_values > keys[k].max)
		return refuse(reterr, MODEL_E_VALUE, option->values[keys[k].max], option->key,
			      "This option has too many values.");
	for (size_t i = 0; i < option->n_values; i++)
		if (!is_value(keys[k].type, option->values[i]))
			return refuse(reterr, MODEL_E_VALUE, option->values[i], option->key,
				      "This is no value of that option.");
	return 0;
}

static int add_option(struct dhcp_options *d, const char *key, const char *value)
{
	struct dhcp_option *options = reallocarray(d->options, d->n_options + 1, sizeof(*options));
	struct dhcp_option *new;
	int r;

	if (!options)
		return -ENOMEM;
	d->options = options;
	new = &options[d->n_options++];
	*new = (struct dhcp_option){0};
	r = edit_string(&new->key, key);
	return r ? r : edit_string(&new->value, value);
}

static int fill(struct dhcp_options *d, const struct dhcp_options_args *args,
		struct refusal *reterr)
{
	if (!args->n_options)
		return refuse(reterr, MODEL_E_MISSING, "DhcpConfiguration");
	for (size_t i = 0; i < args->n_options; i++) {
		const struct dhcp_option_args *option = &args->options[i];
		int r = check_option(option, reterr);

		for (size_t j = 0; j < i && !r; j++)
			if (str_equal(args->options[j].key, option->key))
				r = refuse(reterr, MODEL_E_VALUE, option->key, "key",
					   "The option is named twice.");
		for (size_t j = 0; j < option->n_values && !r; j++)
			r = add_option(d, option->key, option->values[j]);
		if (r)
			return r;
	}
	return 0;
}

static int do_create(struct tx *tx, const struct caller *c, const struct dhcp_options_args *args,
		     const struct dhcp_options **ret, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	const struct dhcp_options *result;
	int r;

	if (model_account_count(tx->m, KIND_DHCP_OPTIONS, c->account) >= LIMIT_MODEL_DHCP_OPTIONS)
		return refuse(reterr, MODEL_E_DHCP_OPTIONS_LIMIT, "per account");
	r = tx_make(tx, KIND_DHCP_OPTIONS, c->account, &o);
	if (!r)
		r = fill((struct dhcp_options *)o, args, reterr);
	if (!r)
		r = tags_set(o, args->tags, args->n_tags, reterr);
	if (r)
		return r;
	result = (const struct dhcp_options *)o;
	r = tx_put(tx, NULL, &o);
	if (!r)
		*ret = result;
	return r;
}

int dhcp_options_create(struct tx *tx, const struct caller *c, const struct dhcp_options_args *args,
			const struct dhcp_options **ret, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_create(tx, c, args, ret, reterr));
}

int dhcp_options_delete(struct tx *tx, const struct caller *c, const char *id,
			struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct dhcp_options *d;
	int r;

	if (!str_has_prefix(id, kind_prefix(KIND_DHCP_OPTIONS)))
		return refuse(reterr, MODEL_E_DHCP_OPTIONS_MALFORMED, id);
	r = dhcp_options_find(tx->m, c, id, &d, reterr);
	if (r)
		return r;
	if (model_group_count(tx->m, REL_DHCP_VPCS, d->o.id))
		return refuse(reterr, MODEL_E_DHCP_OPTIONS_DEPENDENCY, id);
	return tx_settle(tx, mark, tx_delete(tx, &d->o));
}

static int do_associate(struct tx *tx, const struct vpc *old, uint64_t options)
{
	struct vpc *new = NULL;
	int r;

	if (old->dhcp_options == options)
		return 0;
	r = TX_EDIT(tx, old, &new);
	if (r)
		return r;
	new->dhcp_options = options;
	return TX_PUT(tx, old, &new);
}

int dhcp_options_associate(struct tx *tx, const struct caller *c, const char *id,
			   const char *vpc_id, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct dhcp_options *d = NULL;
	const struct vpc *v;
	int r = vpc_find(tx->m, c, vpc_id, &v, reterr);

	if (!r && !str_equal(id, DHCP_OPTIONS_DEFAULT))
		r = dhcp_options_find(tx->m, c, id, &d, reterr);
	if (!r && d && d->o.account != v->o.account) /* an operator sees both */
		r = refuse(reterr, MODEL_E_DHCP_OPTIONS_NOT_FOUND, id);
	return r ? r : tx_settle(tx, mark, do_associate(tx, v, d ? d->o.id : 0));
}

static void add_server(struct ipaddr *servers, size_t *n, const char *text)
{
	if (*n < DHCP_SERVERS_MAX && !ipaddr_parse(text, &servers[*n]))
		++*n;
}

struct dhcp_settings dhcp_settings_of(const struct model *m, const struct vpc *v)
{
	const struct dhcp_options *d =
		(const struct dhcp_options *)model_get(m, KIND_DHCP_OPTIONS, v->dhcp_options);
	struct ipaddr resolver = vpc_resolver(v);
	struct dhcp_settings s = {};

	for (size_t i = 0; d && i < d->n_options; i++) {
		const char *key = d->options[i].key, *value = d->options[i].value;

		if (str_equal(key, "domain-name"))
			s.domain = value;
		else if (str_equal(key, "ntp-servers"))
			add_server(s.ntp, &s.n_ntp, value);
		else if (str_equal(key, "domain-name-servers") &&
			 str_equal(value, DHCP_OPTIONS_PROVIDED) && s.n_dns < DHCP_SERVERS_MAX)
			s.dns[s.n_dns++] = resolver;
		else if (str_equal(key, "domain-name-servers"))
			add_server(s.dns, &s.n_dns, value);
	}
	return s;
}
