/* SPDX-License-Identifier: Apache-2.0 */
/* The mirror sessions of an interface, for its host. */
#include "manager/message_build.h"

#include "base/limits.h"
#include "model/mirror.h"

enum { RULES_MAX = 2 * LIMIT_MODEL_MIRROR_RULES };

struct message_mirrors {
	Viaduct__Agent__Mirror mirrors[LIMIT_MODEL_MIRROR_SESSIONS];
	Viaduct__Agent__Mirror *pointers[LIMIT_MODEL_MIRROR_SESSIONS];
	Viaduct__Agent__MirrorRule rules[LIMIT_MODEL_MIRROR_SESSIONS][RULES_MAX];
	Viaduct__Agent__MirrorRule *rule_pointers[LIMIT_MODEL_MIRROR_SESSIONS][RULES_MAX];
};

static void fill_rule(Viaduct__Agent__MirrorRule *to, const struct mirror_rule *r)
{
	viaduct__agent__mirror_rule__init(to);
	to->egress = r->egress;
	to->accept = r->accept;
	to->protocol = r->protocol;
	to->source = message_bytes(&r->source.addr);
	to->source_len = r->source.len;
	to->destination = message_bytes(&r->destination.addr);
	to->destination_len = r->destination.len;
	to->source_from = r->source_from;
	to->source_to = r->has_source_ports ? r->source_to : UINT16_MAX;
	to->destination_from = r->destination_from;
	to->destination_to = r->has_destination_ports ? r->destination_to : UINT16_MAX;
}

static void fill(struct message_mirrors *all, size_t n, const struct plan_mirror *m)
{
	Viaduct__Agent__Mirror *to = &all->mirrors[n];
	const struct mirror_filter *f = m->filter;

	viaduct__agent__mirror__init(to);
	to->number = m->number;
	to->vni = m->vni;
	to->length = m->length;
	to->target = message_bytes(&m->target);
	to->dns = f->dns;
	for (size_t i = 0; i < f->n_rules && i < RULES_MAX; i++) {
		fill_rule(&all->rules[n][i], &f->rules[i]);
		all->rule_pointers[n][i] = &all->rules[n][i];
		to->n_rules++;
	}
	to->rules = all->rule_pointers[n];
	all->pointers[n] = to;
}

int message_set_mirrors(struct message *c, const struct plan_interface *interface)
{
	if (!interface->n_mirrors)
		return 0;
	if (!c->mirrors)
		c->mirrors = calloc(1, sizeof(*c->mirrors));
	if (!c->mirrors)
		return -ENOMEM;
	for (size_t i = 0; i < interface->n_mirrors; i++)
		fill(c->mirrors, i, &interface->mirrors[i]);
	c->interface.n_mirrors = interface->n_mirrors;
	c->interface.mirrors = c->mirrors->pointers;
	return 0;
}
