/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the manager hears of a Desired: Ack.
 *
 * A Desired is acknowledged at once, without the instances whose nodes are not there yet (or not
 * gone): those are named as pending, and acknowledged again when they are not.  While the data
 * plane cannot be opened nothing newer is acknowledged than what was done before.
 */
#include <stdlib.h>

#include "agent/agent.h"
#include "agent/convert.h"
#include "base/limits.h"
#include "base/log.h"

/* What the keys of one failure point to. */
struct acknowledge_key {
	Viaduct__Agent__ObjectKey key;
	Viaduct__Agent__SubnetKey subnet;
	Viaduct__Agent__Peering peering;
};

static void acknowledge_write_key(const struct desired_key *key, struct acknowledge_key *to)
{
	Viaduct__Agent__ObjectKey *m = &to->key;

	viaduct__agent__object_key__init(m);
	switch (key->kind) {
	case DESIRED_HOST:
	case DESIRED_KIND_MAX:
		break; /* has no key: the text says it */
	case DESIRED_PEER:
		m->key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_PEER_NUMBER;
		m->peer_number = key->number;
		break;
	case DESIRED_SUBNET:
		viaduct__agent__subnet_key__init(&to->subnet);
		to->subnet.vni = key->number;
		to->subnet.prefix = convert_bytes(&key->prefix.addr);
		to->subnet.prefix_len = key->prefix.len;
		m->key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_SUBNET;
		m->subnet = &to->subnet;
		break;
	case DESIRED_INSTANCE:
		m->key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_INSTANCE_ID;
		m->instance_id = (char *)(uintptr_t)key->id;
		break;
	case DESIRED_INTERFACE:
		m->key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_INTERFACE_ID;
		m->interface_id = (char *)(uintptr_t)key->id;
		break;
	case DESIRED_GROUP:
		m->key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_GROUP_NUMBER;
		m->group_number = key->number;
		break;
	case DESIRED_ACL:
		m->key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_ACL_NUMBER;
		m->acl_number = key->number;
		break;
	case DESIRED_TABLE:
		m->key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_TABLE_NUMBER;
		m->table_number = key->number;
		break;
	case DESIRED_PEERING:
		viaduct__agent__peering__init(&to->peering);
		to->peering.vni_a = key->vni_a;
		to->peering.vni_b = key->vni_b;
		m->key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_PEERING;
		m->peering = &to->peering;
		break;
	case DESIRED_GATEWAY:
		m->key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_GATEWAY_HANDLE;
		m->gateway_handle = key->number;
		break;
	case DESIRED_PUBLIC:
		m->key_case = VIADUCT__AGENT__OBJECT_KEY__KEY_PUBLIC;
		m->public_ = convert_bytes(&key->prefix.addr);
		break;
	}
}

/* Positive, as the protocol has it. */
static int32_t acknowledge_errno(int error)
{
	return error < 0 ? -error : error;
}

/* The instances that are not yet as 'a->revision' has them; '*ret' is the caller's to free. */
static int acknowledge_pending(const struct agent *a, char ***ret, size_t *ret_n)
{
	char **ids = calloc(hmap_count(&a->nodes.by_id) + 1, sizeof(*ids));
	struct node *n;
	size_t k = 0;

	if (!ids)
		return -ENOMEM;
	hmap_for_each (n, &a->nodes.by_id, by_id)
		if (n->pending)
			ids[k++] = n->id;
	*ret = ids;
	*ret_n = k;
	return 0;
}

static void acknowledge_send(struct agent *a, uint64_t revision, const struct failures *failures,
			     char **pending, size_t n_pending)
{
	Viaduct__Agent__Failure messages[LIMIT_AGENT_FAILURES];
	Viaduct__Agent__Failure *pointers[LIMIT_AGENT_FAILURES];
	struct acknowledge_key keys[LIMIT_AGENT_FAILURES];
	Viaduct__Agent__Ack ack = VIADUCT__AGENT__ACK__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;
	int e;

	for (size_t i = 0; i < failures->n; i++) {
		viaduct__agent__failure__init(&messages[i]);
		acknowledge_write_key(&failures->items[i].key, &keys[i]);
		messages[i].key = &keys[i].key;
		messages[i].error = acknowledge_errno(failures->items[i].error);
		messages[i].text = failures->items[i].text;
		pointers[i] = &messages[i];
	}
	ack.revision = revision;
	ack.n_failed = failures->n;
	ack.failed = pointers;
	ack.n_pending = n_pending;
	ack.pending = pending;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_ACK;
	frame.ack = &ack;
	e = link_send(&a->link, &frame);
	if (e && e != -ENOTCONN)
		log_warn("acknowledgement not sent", LOG_U64("revision", revision), LOG_ERRNO(e));
}

/* Says what of 'a->revision' is done, what failed, and what is still under way. A manager that
 * would take the latter for done hears of the revision before. */
void acknowledge_now(struct agent *a)
{
	_cleanup_failures_ struct failures failures = {0};
	_cleanup_free_ char **pending = NULL;
	uint64_t revision, since;
	const struct node *n;
	size_t n_pending;

	timer_disarm(&a->acknowledge);
	if (acknowledge_pending(a, &pending, &n_pending)) {
		timer_arm_in(&a->acknowledge, LIMIT_AGENT_ACK_MS * CLOCK_NS_PER_MS);
		return;
	}
	revision = a->revision;
	if (!a->dp) /* nothing of it is applied, and what was before may still be there */
		revision = a->settled;
	else if (nodes_pending(&a->nodes, &since))
		a->settled = since > a->settled ? since : a->settled;
	else
		a->settled = a->revision;
	if (!a->takes_pending) {
		revision = a->settled;
		n_pending = 0;
	}
	if (!revision)
		return;
	failures_append(&failures, &a->failures);
	hmap_for_each (n, &a->nodes.by_id, by_id)
		failures_append(&failures, &n->failures);
	acknowledge_send(a, revision, &failures, pending, n_pending);
}

static void acknowledge_on_timer(struct timer *t, void *data)
{
	acknowledge_now(data);
}

void acknowledge_settled(struct agent *a)
{
	/* The last one is not to wait; before it, many that come one after another are told
	 * together. */
	if (!nodes_pending(&a->nodes, NULL))
		acknowledge_now(a);
	else if (!timer_armed(&a->acknowledge))
		timer_arm_in(&a->acknowledge, LIMIT_AGENT_ACK_MS * CLOCK_NS_PER_MS);
}

void acknowledge_init(struct agent *a)
{
	timer_init(&a->acknowledge, a->loop, acknowledge_on_timer, a);
}

void acknowledge_deinit(struct agent *a)
{
	timer_deinit(&a->acknowledge);
	failures_deinit(&a->failures);
}
