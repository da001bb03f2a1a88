/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flow logs: making, finding and ending them.  See flow_log.h.
 */
#include "model/flow_log.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/str.h"
#include "model/edit.h"
#include "model/interface.h"
#include "model/subnet.h"
#include "model/token_edit.h"
#include "model/vpc.h"

#define OPERATION "CreateFlowLogs"

const char flow_default_format[] =
	"${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} "
	"${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}";

static const struct {
	const char *text;
	unsigned int version;
} fields[] = {
#define FIELD(name, text, version) {text, version},
#include "model/flow_field.def"
#undef FIELD
};

const char *flow_field_text(enum flow_field f)
{
	return f < FLOW_FIELDS ? fields[f].text : NULL;
}

unsigned int flow_field_version(enum flow_field f)
{
	return f < FLOW_FIELDS ? fields[f].version : 0;
}

const char *flow_traffic_text(uint32_t traffic)
{
	static const char *const texts[] = {
		[FLOW_ACCEPT] = "ACCEPT", [FLOW_REJECT] = "REJECT", [FLOW_ALL] = "ALL"};

	return traffic < ARRAY_SIZE(texts) ? texts[traffic] : NULL;
}

/* ---- formats ---- */

static bool parse_field(const char *name, size_t length, enum flow_field *ret)
{
	for (enum flow_field f = 0; f < FLOW_FIELDS; f++)
		if (strlen(fields[f].text) == length && !strncmp(fields[f].text, name, length)) {
			*ret = f;
			return true;
		}
	return false;
}

bool flow_format_parse(const char *format, enum flow_field ret[static FLOW_FORMAT_MAX],
		       size_t *ret_n, const char **ret_bad)
{
	const char *s = format ? format : flow_default_format;
	size_t n = 0;

	while (*s) {
		const char *end = strchr(s, '}');

		if (ret_bad)
			*ret_bad = s;
		if (s[0] != '$' || s[1] != '{' || !end || n == FLOW_FORMAT_MAX ||
		    !parse_field(s + 2, (size_t)(end - s - 2), &ret[n]))
			return false;
		n++;
		s = end + 1;
		while (*s == ' ')
			s++;
	}
	*ret_n = n;
	return n;
}

/* ---- what is asked for ---- */

static int argument(struct refusal *reterr, const char *subject, const char *why)
{
	return refuse(reterr, MODEL_E_FLOW_LOG_ARGUMENT, subject, why);
}

static int check_destination(const struct flow_log_create_args *a, struct refusal *reterr)
{
	const char *type = a->destination_type ? a->destination_type : "cloud-watch-logs";
	bool s3 = str_equal(type, "s3");

	if (str_equal(type, "kinesis-data-firehose"))
		return refuse(reterr, MODEL_E_UNSUPPORTED, "A flow log to Kinesis Data Firehose");
	if (!s3 && !str_equal(type, "cloud-watch-logs"))
		return refuse(reterr, MODEL_E_VALUE, type, "LogDestinationType",
			      "It is cloud-watch-logs or s3.");
	if (s3 && (a->group_name || a->role))
		return argument(reterr, "LogGroupName",
				"goes with the destination type cloud-watch-logs, as does "
				"DeliverLogsPermissionArn. Use LogDestination.");
	if (!s3 && !a->role)
		return argument(reterr, "DeliverLogsPermissionArn",
				"must be given for cloud-watch-logs: any text, it is only kept");
	if (s3 && !a->destination)
		return argument(reterr, "LogDestination", "must be given for s3");
	if (!s3 && !a->destination == !a->group_name)
		return argument(reterr, "LogDestination",
				"or LogGroupName must be given, and not both");
	return 0;
}

static int check_texts(const struct flow_log_create_args *a, struct refusal *reterr)
{
	const char *texts[] = {a->destination, a->group_name, a->role};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (texts[i] && (!texts[i][0] || strlen(texts[i]) > LIMIT_MODEL_FLOW_TEXT))
			return argument(reterr, "The name of a destination",
					"is 1 to 1000 characters long");
	return 0;
}

static int check_format(const char *format, struct refusal *reterr)
{
	enum flow_field parsed[FLOW_FORMAT_MAX];
	const char *bad = "";
	char what[64];
	size_t n;

	if (!format || flow_format_parse(format, parsed, &n, &bad))
		return 0;
	snprintf(what, sizeof(what), "%.60s", bad);
	return refuse(reterr, MODEL_E_FLOW_LOG_FORMAT, what);
}

static int parse_traffic(const char *text, uint32_t *ret)
{
	for (uint32_t t = FLOW_ACCEPT; t <= FLOW_ALL; t++)
		if (text && str_equal(text, flow_traffic_text(t))) {
			*ret = t;
			return 0;
		}
	return -EINVAL;
}

int flow_log_check(const struct flow_log_create_args *a, struct refusal *reterr)
{
	uint32_t traffic;
	char number[16];
	int r;

	if (!str_equal(a->resource_type, "VPC") && !str_equal(a->resource_type, "Subnet") &&
	    !str_equal(a->resource_type, "NetworkInterface"))
		return refuse(reterr, MODEL_E_VALUE, a->resource_type, "ResourceType",
			      "It is VPC, Subnet or NetworkInterface.");
	if (!a->traffic_type)
		return argument(reterr, "TrafficType", "must be given for this type of resource");
	if (parse_traffic(a->traffic_type, &traffic))
		return refuse(reterr, MODEL_E_VALUE, a->traffic_type, "TrafficType",
			      "It is ACCEPT, REJECT or ALL.");
	if (a->interval != 60 && a->interval != 600) {
		snprintf(number, sizeof(number), "%u", a->interval);
		return argument(reterr, number, "is no aggregation interval: it is 60 or 600");
	}
	r = check_destination(a, reterr);
	if (!r)
		r = check_texts(a, reterr);
	return r ? r : check_format(a->format, reterr);
}

/* ---- making ---- */

static int find_resource(const struct model *m, const struct caller *c,
			 const struct flow_log_create_args *a, const struct object **ret,
			 struct refusal *reterr)
{
	const struct interface *i;
	const struct subnet *s;
	const struct vpc *v;
	int r;

	if (str_equal(a->resource_type, "VPC")) {
		r = vpc_find(m, c, a->resource_id, &v, reterr);
		if (!r)
			*ret = &v->o;
	} else if (str_equal(a->resource_type, "Subnet")) {
		r = subnet_find(m, c, a->resource_id, &s, reterr);
		if (!r)
			*ret = &s->o;
	} else {
		r = interface_find(m, c, a->resource_id, &i, reterr);
		if (!r)
			*ret = &i->o;
	}
	return r;
}

static bool same(const char *a, const char *b)
{
	return str_equal(a ? a : "", b ? b : "");
}

/* EC2 refuses one that would tell the same to the same place. */
static bool exists(const struct model *m, const struct flow_log *f)
{
	struct model_iter it = model_iter_group(m, REL_RESOURCE_FLOW_LOGS, f->resource);
	const struct flow_log *g;

	while ((g = (const struct flow_log *)model_iter_next(&it)))
		if (g->traffic == f->traffic && g->s3 == f->s3 &&
		    same(g->destination, f->destination) && same(g->group_name, f->group_name) &&
		    same(g->format, f->format) && g->interval == f->interval)
			return true;
	return false;
}

static int fill(struct flow_log *f, const struct object *resource,
		const struct flow_log_create_args *a, struct refusal *reterr)
{
	int r = parse_traffic(a->traffic_type, &f->traffic);

	f->resource_kind = resource->kind;
	f->resource = resource->id;
	f->interval = a->interval;
	f->s3 = a->destination_type && str_equal(a->destination_type, "s3");
	if (!r && a->format && !str_equal(a->format, flow_default_format))
		r = edit_string(&f->format, a->format);
	if (!r)
		r = edit_string(&f->destination, a->destination);
	if (!r)
		r = edit_string(&f->group_name, a->group_name);
	if (!r)
		r = edit_string(&f->role, a->role);
	return r ? r : tags_set(&f->o, a->tags, a->n_tags, reterr);
}

static int do_create(struct tx *tx, const struct caller *c, const struct flow_log_create_args *a,
		     const struct flow_log **ret, struct refusal *reterr)
{
	_cleanup_(record_free_cleanup) struct object *o = NULL;
	const struct object *resource = NULL;
	const struct flow_log *f;
	int r = find_resource(tx->m, c, a, &resource, reterr);

	if (r)
		return r;
	r = tx_make(tx, KIND_FLOW_LOG, resource->account, &o);
	if (!r)
		r = fill((struct flow_log *)o, resource, a, reterr);
	if (r)
		return r;
	f = (const struct flow_log *)o;
	if (exists(tx->m, f))
		return refuse(reterr, MODEL_E_FLOW_LOG_EXISTS, a->resource_id);
	if (model_group_count(tx->m, REL_RESOURCE_FLOW_LOGS, resource->id) >= LIMIT_MODEL_FLOW_LOGS)
		return refuse(reterr, MODEL_E_FLOW_LOG_LIMIT, a->resource_id);
	r = tx_put(tx, NULL, &o);
	if (!r)
		*ret = f;
	return r;
}

int flow_log_create(struct tx *tx, const struct caller *c, const struct flow_log_create_args *args,
		    const struct flow_log **ret, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark, do_create(tx, c, args, ret, reterr));
}

int flow_log_seen(struct tx *tx, const struct caller *c, const struct token_args *args,
		  const uint64_t **ret, size_t *ret_n, struct refusal *reterr)
{
	const struct token *seen = NULL;
	int r = token_seen(tx, c->account, OPERATION, args, &seen, reterr);

	if (r)
		return r;
	*ret = seen ? seen->results : NULL;
	*ret_n = seen ? seen->n_results : 0;
	return 0;
}

int flow_log_remember(struct tx *tx, const struct caller *c, const struct token_args *token,
		      const uint64_t *ids, size_t n)
{
	size_t mark = tx_mark(tx);

	return tx_settle(tx, mark,
			 token_remember(tx, c->account, OPERATION, token, KIND_FLOW_LOG, ids, n));
}

/* ---- finding and ending ---- */

int flow_log_find(const struct model *m, const struct caller *c, const char *id,
		  const struct flow_log **ret, struct refusal *reterr)
{
	const struct object *o = NULL;
	uint64_t number;

	if (!id_parse(KIND_FLOW_LOG, id, &number))
		o = model_get(m, KIND_FLOW_LOG, number);
	if (!o || !caller_sees(c, o))
		return refuse(reterr, MODEL_E_FLOW_LOG_NOT_FOUND, id);
	*ret = (const struct flow_log *)o;
	return 0;
}

int flow_log_delete(struct tx *tx, const struct caller *c, const char *id, struct refusal *reterr)
{
	size_t mark = tx_mark(tx);
	const struct flow_log *f;
	int r = flow_log_find(tx->m, c, id, &f, reterr);

	return r ? r : tx_settle(tx, mark, tx_delete(tx, &f->o));
}

int flow_log_end_all(struct tx *tx, uint64_t resource)
{
	return tx_delete_all(tx, model_iter_group(tx->m, REL_RESOURCE_FLOW_LOGS, resource));
}

bool flow_log_covers(const struct model *m, const struct interface *i)
{
	return model_group_count(m, REL_RESOURCE_FLOW_LOGS, i->o.id) ||
	       model_group_count(m, REL_RESOURCE_FLOW_LOGS, i->subnet) ||
	       model_group_count(m, REL_RESOURCE_FLOW_LOGS, i->vpc);
}

void flow_log_each(const struct model *m, const struct interface *i,
		   void (*fn)(void *data, const struct flow_log *f), void *data)
{
	const uint64_t resources[] = {i->o.id, i->subnet, i->vpc};

	for (size_t n = 0; n < ARRAY_SIZE(resources); n++) {
		struct model_iter it = model_iter_group(m, REL_RESOURCE_FLOW_LOGS, resources[n]);
		const struct object *o;

		while ((o = model_iter_next(&it)))
			fn(data, (const struct flow_log *)o);
	}
}
