/* SPDX-License-Identifier: Apache-2.0 */
#include "datapath/policy.h"

#include <netinet/in.h>
#include <string.h>

enum { V4_LEN = 96 }; /* of the prefix that all IPv4 addresses have */

/* The same shape for rules and entries, so that both compile alike. */
struct term {
	bool egress, allow;
	uint32_t group;
	struct prefix prefix;
	struct dp_range subjects;
};

struct terms {
	size_t n;
	struct term rows[];
};

void policy_deinit(struct policy *p)
{
	for (size_t i = 0; i < p->n; i++)
		ranges_deinit(&p->entries[i].allowed);
	free(p->entries);
	*p = (struct policy){};
}

uint32_t policy_subject(uint8_t protocol, uint16_t port)
{
	switch (protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return (uint32_t)protocol << 16 | port;
	default:
		return (uint32_t)protocol << 16;
	}
}

static struct dp_range subjects_of(uint16_t protocol, uint16_t from, uint16_t to)
{
	if (protocol == DP_PROTOCOL_ANY)
		return (struct dp_range){0, DP_SUBJECT_MAX};
	if (policy_subject((uint8_t)protocol, 1) == policy_subject((uint8_t)protocol, 0))
		return (struct dp_range){(uint32_t)protocol << 16,
					 (uint32_t)protocol << 16 | 0xffff};
	return (struct dp_range){(uint32_t)protocol << 16 | from, (uint32_t)protocol << 16 | to};
}

static int check(uint16_t protocol, uint16_t from, uint16_t to, const struct prefix *prefix)
{
	return protocol > DP_PROTOCOL_ANY || from > to || prefix->len > 128 ? -EINVAL : 0;
}

int policy_check_rule(const struct dp_rule *rule)
{
	return check(rule->protocol, rule->from, rule->to, &rule->prefix);
}

int policy_check_entry(const struct dp_acl_entry *entry)
{
	return check(entry->protocol, entry->from, entry->to, &entry->prefix);
}

static struct term term_of_rule(const struct dp_rule *r)
{
	return (struct term){.egress = r->egress,
			     .allow = true,
			     .group = r->group,
			     .prefix = r->prefix,
			     .subjects = subjects_of(r->protocol, r->from, r->to)};
}

static struct term term_of_entry(const struct dp_acl_entry *e)
{
	return (struct term){.egress = e->egress,
			     .allow = e->allow,
			     .prefix = e->prefix,
			     .subjects = subjects_of(e->protocol, e->from, e->to)};
}

/* ::/0 is all of IPv6, and not IPv4 as well because that is mapped into it. */
static bool covers(const struct term *t, const struct prefix *p)
{
	return !t->group && prefix_is_v4(&t->prefix) == prefix_is_v4(p) &&
	       prefix_covers(&t->prefix, p);
}

static struct prefix prefix_of(const struct ipaddr *addr)
{
	return prefix_make(addr, 128);
}

/* ---- compiling ---- */

static int compare_terms(const void *x, const void *y)
{
	const struct term *a = x, *b = y;
	int r;

	if (a->egress != b->egress)
		return a->egress ? 1 : -1;
	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	if (a->group)
		return 0;
	r = ipaddr_compare(&a->prefix.addr, &b->prefix.addr);
	if (r)
		return r;
	return a->prefix.len < b->prefix.len ? -1 : a->prefix.len > b->prefix.len;
}

/* What the terms that speak of this end allow: the first that matches a subject decides. */
static int fill(const struct terms *terms, struct policy_entry *e)
{
	_cleanup_(ranges_deinit_cleanup) struct ranges decided = {};
	int r = 0;

	for (size_t i = 0; !r && i < terms->n; i++) {
		const struct term *t = &terms->rows[i];

		if (t->egress != e->egress ||
		    (e->group ? t->group != e->group : !covers(t, &e->prefix)))
			continue;
		if (t->allow)
			r = ranges_add_except(&e->allowed, t->subjects.from, t->subjects.to,
					      &decided);
		if (!r)
			r = ranges_add(&decided, t->subjects.from, t->subjects.to);
	}
	return r;
}

/* 'terms' in the order of evaluation. */
static int compile(const struct terms *terms, struct policy *ret)
{
	_cleanup_free_ struct term *sorted = calloc(terms->n + 1, sizeof(*sorted));
	_cleanup_(policy_deinit_cleanup) struct policy p = {};
	int r = 0;

	p.entries = calloc(terms->n + 1, sizeof(*p.entries));
	if (!sorted || !p.entries)
		return -ENOMEM;
	memcpy(sorted, terms->rows, terms->n * sizeof(*sorted));
	qsort(sorted, terms->n, sizeof(*sorted), compare_terms);
	for (size_t i = 0; !r && i < terms->n; i++) {
		if (i && !compare_terms(&sorted[i - 1], &sorted[i]))
			continue;
		p.entries[p.n] = (struct policy_entry){.egress = sorted[i].egress,
						       .group = sorted[i].group,
						       .prefix = sorted[i].prefix};
		r = fill(terms, &p.entries[p.n++]);
	}
	if (r)
		return r;
	*ret = p;
	p = (struct policy){};
	return 0;
}

static struct terms *terms_new(size_t n)
{
	return calloc(1, sizeof(struct terms) + n * sizeof(struct term));
}

int policy_compile_groups(const struct dp_group *const *groups, size_t n, struct policy *ret)
{
	_cleanup_free_ struct terms *terms = NULL;
	size_t n_rules = 0;

	for (size_t i = 0; i < n; i++)
		n_rules += groups[i]->n_rules;
	terms = terms_new(n_rules);
	if (!terms)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < groups[i]->n_rules; k++)
			terms->rows[terms->n++] = term_of_rule(&groups[i]->rules[k]);
	return compile(terms, ret);
}

int policy_compile_acl(const struct dp_acl *acl, struct policy *ret)
{
	_cleanup_free_ struct terms *terms = terms_new(acl->n_entries);

	if (!terms)
		return -ENOMEM;
	for (size_t i = 0; i < acl->n_entries; i++)
		terms->rows[terms->n++] = term_of_entry(&acl->entries[i]);
	return compile(terms, ret);
}

/* ---- asking ---- */

bool policy_names_groups(const struct policy *p, bool egress)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->entries[i].egress == egress && p->entries[i].group)
			return true;
	return false;
}

static bool is_everything(const struct ranges *r)
{
	return r->n == 1 && !r->rows[0].from && r->rows[0].to == DP_SUBJECT_MAX;
}

bool policy_allows_all(const struct policy *p, bool egress)
{
	bool v4 = false, v6 = false;

	for (size_t i = 0; i < p->n; i++) {
		const struct policy_entry *e = &p->entries[i];

		if (e->egress != egress || e->group)
			continue;
		if (!is_everything(&e->allowed))
			return false;
		v4 = v4 || (prefix_is_v4(&e->prefix) && e->prefix.len == V4_LEN);
		v6 = v6 || !e->prefix.len;
	}
	return v4 && v6;
}

static const struct policy_entry *longest(const struct policy *p, bool egress,
					  const struct ipaddr *remote)
{
	const struct policy_entry *best = NULL;

	for (size_t i = 0; i < p->n; i++) {
		const struct policy_entry *e = &p->entries[i];

		if (e->egress == egress && !e->group &&
		    prefix_is_v4(&e->prefix) == ipaddr_is_v4(remote) &&
		    prefix_contains(&e->prefix, remote) &&
		    (!best || e->prefix.len > best->prefix.len))
			best = e;
	}
	return best;
}

bool policy_allows(const struct policy *p, bool egress, const struct ipaddr *remote,
		   const uint32_t *groups, size_t n_groups, uint32_t subject)
{
	const struct policy_entry *e = longest(p, egress, remote);

	if (e && ranges_have(&e->allowed, subject))
		return true;
	for (size_t i = 0; i < p->n; i++) {
		e = &p->entries[i];
		for (size_t k = 0; e->egress == egress && e->group && k < n_groups; k++)
			if (e->group == groups[k] && ranges_have(&e->allowed, subject))
				return true;
	}
	return false;
}

static bool speaks_of(const struct term *t, bool egress, const struct ipaddr *remote,
		      const uint32_t *groups, size_t n_groups, uint32_t subject)
{
	struct prefix p = prefix_of(remote);

	if (t->egress != egress || subject < t->subjects.from || subject > t->subjects.to)
		return false;
	for (size_t i = 0; i < n_groups; i++)
		if (t->group && t->group == groups[i])
			return true;
	return covers(t, &p);
}

bool policy_groups_allow(const struct dp_group *const *groups, size_t n, bool egress,
			 const struct ipaddr *remote, const uint32_t *remote_groups,
			 size_t n_remote_groups, uint32_t subject)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < groups[i]->n_rules; k++) {
			struct term t = term_of_rule(&groups[i]->rules[k]);

			if (speaks_of(&t, egress, remote, remote_groups, n_remote_groups, subject))
				return true;
		}
	return false;
}

bool policy_acl_allows(const struct dp_acl *acl, bool egress, const struct ipaddr *remote,
		       uint32_t subject)
{
	for (size_t i = 0; i < acl->n_entries; i++) {
		struct term t = term_of_entry(&acl->entries[i]);

		if (speaks_of(&t, egress, remote, NULL, 0, subject))
			return t.allow;
	}
	return false;
}
