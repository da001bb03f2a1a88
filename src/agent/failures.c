/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/failures.h"

#include "agent/convert.h"
#include "base/limits.h"
#include "base/log.h"

void failures_deinit(struct failures *f)
{
	free(f->items);
	*f = (struct failures){0};
}

bool failures_any(const struct failures *f)
{
	return f->n || f->n_dropped;
}

static void failures_push(struct failures *f, const struct failure *failure)
{
	struct failure *grown = NULL;

	if (f->n < LIMIT_AGENT_FAILURES)
		grown = reallocarray(f->items, f->n + 1, sizeof(*grown));
	if (!grown) {
		f->n_dropped++;
		return;
	}
	f->items = grown;
	grown[f->n++] = *failure;
}

void failures_add(struct failures *f, const struct desired_key *key, int error, const char *text)
{
	struct failure failure = {.key = *key, .error = error};

	log_warn("desired state not applied", LOG_STR("id", key->id),
		 LOG_U64("number", key->number), LOG_STR("reason", text), LOG_ERRNO(error));
	(void)!convert_name(text, failure.text, sizeof(failure.text));
	failures_push(f, &failure);
}

void failures_append(struct failures *f, const struct failures *from)
{
	for (size_t i = 0; i < from->n; i++)
		failures_push(f, &from->items[i]);
	f->n_dropped += from->n_dropped;
}
