/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What hosts have room for, and their labels.  See host.h; what is in use is in placement_index.c.
 */
#include "base/limits.h"
#include "base/str.h"
#include "model/edit.h"
#include "model/host.h"
#include "model/choice_rules.h"
#include "model/host_edit.h"

const char *host_room_text(enum host_room r)
{
	static const char *const texts[HOST_ROOM_MAX] = {
		[HOST_MEMORY] = "memory", [HOST_VCPUS] = "vcpus", [HOST_BANDWIDTH] = "bandwidth",
		[HOST_DISK] = "disk",     [HOST_PORTS] = "ports",
	};

	return texts[r];
}

bool host_room_is_given(const struct host_room_args *args)
{
	bool given = args->cost || args->drained;

	for (enum host_room r = 0; r < HOST_ROOM_MAX; r++)
		given |= args->capacity[r] != NULL;
	return given;
}

int host_set_room(struct host *h, const struct host_room_args *args, struct refusal *reterr)
{
	const uint32_t *ports = args->capacity[HOST_PORTS];
	char text[16];

	if (ports && *ports > LIMIT_MODEL_HOST_PORTS) {
		if (str_format(text, sizeof(text), "%u", *ports))
			return -EINVAL;
		return refuse(reterr, MODEL_E_VALUE, text, "ports",
			      "A host has at most 1023 ports.");
	}
	for (enum host_room r = 0; r < HOST_ROOM_MAX; r++)
		if (args->capacity[r])
			h->capacity[r] = *args->capacity[r];
	if (args->cost)
		h->cost = *args->cost;
	if (args->drained)
		h->drained = *args->drained;
	return 0;
}

/* The labels are these and no others. */
static int set_labels(struct object *o, const struct tag_args *labels, size_t n,
		      struct refusal *reterr)
{
	for (size_t i = 0; i < o->n_tags; i++) {
		free(o->tags[i].key);
		free(o->tags[i].value);
	}
	free(o->tags);
	o->tags = NULL;
	o->n_tags = 0;
	return tags_set(o, labels, n, reterr);
}

static int do_set(struct tx *tx, const struct host *old, const struct host_room_args *room,
		  const struct tag_args *labels, size_t n_labels, const struct host **ret,
		  struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	const struct host *result;
	int r = tx_edit(tx, &old->o, &o);

	if (!r)
		r = host_set_room((struct host *)o, room, reterr);
	if (!r && labels)
		r = set_labels(o, labels, n_labels, reterr);
	if (r)
		return r;
	result = old;
	if (!record_equal(&old->o, o)) {
		result = (const struct host *)o;
		r = choice_host_put(tx, old, &o);
	}
	if (!r)
		*ret = result;
	return r;
}

int host_set(struct tx *tx, const struct caller *c, const char *id,
	     const struct host_room_args *room, const struct tag_args *labels, size_t n_labels,
	     const struct host **ret, struct refusal *reterr)
{
	const struct host *h;
	size_t mark = tx_mark(tx);
	int r = host_of_operator(tx->m, c, id, &h, reterr);

	if (r)
		return r;
	if (h->foreign && host_room_is_given(room))
		return refuse(reterr, MODEL_E_COMBINATION,
			      "A foreign host has no room and no cost, and is not drained: "
			      "nothing is placed there but by \"viaduct interface place\"");
	return tx_settle(tx, mark, do_set(tx, h, room, labels, n_labels, ret, reterr));
}
