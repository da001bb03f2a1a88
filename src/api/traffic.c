/* SPDX-License-Identifier: Apache-2.0 */
/* What hosts count of their nodes' packets by the format that it leaves and comes in: a list of it,
 * and metrics. */
#include <stdio.h>

#include "api/metrics.h"
#include "api/route_handlers.h"
#include "api/state.h"
#include "model/ability.h"
#include "model/host.h"

enum { NAME_SIZE = 24 };

/* Of a newer agent's: a number is better than nothing. */
static const char *name_of(uint32_t format, char buf[static NAME_SIZE])
{
	if (format < FORMAT_MAX)
		return format_name(format);
	snprintf(buf, NAME_SIZE, "FORMAT_%u", format);
	return buf;
}

/* ---- GET /v1/traffic ---- */

struct traffic_list {
	struct route_call *call;
	json_t *rows;
};

static void put_row(void *user, const struct api_traffic *t)
{
	struct traffic_list *list = user;
	struct route_call *c = list->call;
	char name[NAME_SIZE];
	json_t *o;

	if (!route_query_is_host(c, "host", t->host))
		return;
	o = json_new_object(c);
	json_put_host(c, o, "host", t->host);
	json_put_text(c, o, "format", name_of(t->format, name));
	json_put_u64(c, o, "sent_packets", t->sent_packets);
	json_put_u64(c, o, "sent_bytes", t->sent_bytes);
	json_put_u64(c, o, "received_packets", t->received_packets);
	json_put_u64(c, o, "received_bytes", t->received_bytes);
	json_append(c, list->rows, o);
}

int route_traffic(struct route_call *c)
{
	struct traffic_list list = {.call = c};
	int r = route_check_host_query(c, "host");

	if (r)
		return r;
	c->result = json_new_object(c);
	list.rows = json_new_array(c);
	json_put(c, c->result, "traffic", list.rows);
	c->api->live->traffic(c->api->live->data, put_row, &list);
	return 0;
}

/* ---- GET /metrics ---- */

static uint64_t sent_packets(const struct api_traffic *t)
{
	return t->sent_packets;
}

static uint64_t sent_bytes(const struct api_traffic *t)
{
	return t->sent_bytes;
}

static uint64_t received_packets(const struct api_traffic *t)
{
	return t->received_packets;
}

static uint64_t received_bytes(const struct api_traffic *t)
{
	return t->received_bytes;
}

static const struct family {
	const char *name, *help;
	uint64_t (*value)(const struct api_traffic *t);
} families[] = {
	{"host_sent_packets_total", "From its nodes, by the format that it leaves the host in.",
	 sent_packets},
	{"host_sent_bytes_total", "The same, as nodes send it.", sent_bytes},
	{"host_received_packets_total", "To its nodes, by the format that it came in.",
	 received_packets},
	{"host_received_bytes_total", "The same, as nodes get it.", received_bytes},
};

struct telling {
	struct route_call *call;
	const struct family *family;
};

static void put_value(void *user, const struct api_traffic *t)
{
	const struct telling *telling = user;
	struct route_call *c = telling->call;
	const struct host *h = host_by_number(c->model, t->host);
	char name[NAME_SIZE];

	if (h)
		buf_put_printf(c->text, "viaduct_%s{host=\"%s\",format=\"%s\"} %llu\n",
			       telling->family->name, h->name, name_of(t->format, name),
			       (unsigned long long)telling->family->value(t));
}

void metrics_traffic(struct route_call *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct telling telling = {c, &families[i]};

		metrics_head(c, families[i].name, "counter", families[i].help);
		c->api->live->traffic(c->api->live->data, put_value, &telling);
	}
}
