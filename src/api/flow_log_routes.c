/* SPDX-License-Identifier: Apache-2.0 */
/* Flow logs in the operators' API, and their records, which only it tells. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/api.h"
#include "api/route_handlers.h"
#include "api/state.h"
#include "base/limits.h"
#include "base/str.h"
#include "model/flow_log.h"

static json_t *show(struct route_call *c, const struct object *object)
{
	const struct flow_log *f = (const struct flow_log *)object;
	json_t *o = json_new_object(c);

	json_put_identity(c, o, object);
	json_put_id(c, o, "resource", f->resource_kind, f->resource);
	json_put_text(c, o, "traffic", flow_traffic_text(f->traffic));
	json_put_text(c, o, "format", f->format ? f->format : flow_default_format);
	json_put_text(c, o, "destination", f->destination ? f->destination : f->group_name);
	return o;
}

int route_flow_logs(struct route_call *c)
{
	static const struct route_list list = {"flow_logs", KIND_FLOW_LOG, show};

	return route_list_run(c, &list);
}

/* The names of the fields, for those who read the lines. */
static json_t *show_fields(struct route_call *c, const struct flow_log *f)
{
	enum flow_field fields[FLOW_FORMAT_MAX];
	json_t *array = json_new_array(c);
	size_t n = 0;

	if (flow_format_parse(f->format, fields, &n, NULL))
		for (size_t i = 0; i < n; i++)
			json_append(c, array, json_string(flow_field_text(fields[i])));
	return array;
}

static json_t *show_lines(struct route_call *c, const struct buf *b)
{
	const char *at = (const char *)buf_data(b), *end = at + buf_size(b), *line;
	json_t *array = json_new_array(c);

	for (; at < end; at = line + 1) {
		line = memchr(at, '\n', (size_t)(end - at));
		if (!line)
			break;
		json_append(c, array, json_stringn(at, (size_t)(line - at)));
	}
	return array;
}

int route_flow_log_records(struct route_call *c)
{
	const char *after = route_query(c, "after");
	const struct api_live *live = c->api->live;
	_cleanup_buf_ struct buf lines;
	const struct flow_log *f;
	uint64_t place = 0, next;
	char text[24];
	int r;

	buf_init(&lines, 2 * LIMIT_FLOW_ANSWER_SIZE);
	r = flow_log_find(c->model, &c->caller, c->segments[2], &f, &c->refusal);
	if (r)
		return r;
	if (after && str_u64(after, 0, INT64_MAX, &place))
		return route_refuse(c, 400, "BadRequest",
				    "'%.40s' is not where an answer ended: its \"next\"", after);
	r = live->flow_records(live->data, f->o.id, place, LIMIT_FLOW_ANSWER_SIZE, &lines, &next);
	if (r)
		return r;
	c->result = json_new_object(c);
	json_put(c, c->result, "fields", show_fields(c, f));
	json_put(c, c->result, "records", show_lines(c, &lines));
	snprintf(text, sizeof(text), "%" PRIu64, next);
	json_put_text(c, c->result, "next", text);
	return 0;
}
