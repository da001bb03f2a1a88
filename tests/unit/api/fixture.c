/* SPDX-License-Identifier: Apache-2.0 */
#include "fixture.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/format.h"
#include "api/sigv4.h"
#include "base/limits.h"
#include "model/account.h"
#include "model/edge.h"
#include "model/host.h"
#include "model/pair_shift.h"
#include "model/release.h"
#include "model/tx.h"

/* Faults of the fixture itself end the test at once. */
static void must(int r, const char *what)
{
	if (!r)
		return;
	fprintf(stderr, "fixture: %s: %d\n", what, r);
	abort();
}

static void live_status(void *data, struct api_status_live *ret)
{
	struct fixture *f = data;

	*ret = (struct api_status_live){
		.cluster_id = 42,
		.durable_revision = model_revision(f->model),
		.store_kind = "memory",
		.store_error = f->store_broken ? "no space left" : NULL,
	};
}

static void live_host(void *data, uint32_t number, struct api_host_live *ret)
{
	struct fixture *f = data;

	*ret = (struct api_host_live){
		/* the second has not come since the manager was started, but has reported before */
		.state = number == 1 ? API_HOST_CONNECTED : API_HOST_NEVER,
		.revision = f->hosts_answer ? model_revision(f->model) : 0,
		.reported_ms = clock_wall_ms(&f->clock),
		.seen_ms = clock_wall_ms(&f->clock),
		.software = "viaduct-agent test",
		.told = 12,
		.refused = number,
		.lost_tables = number == 2 ? "connections" : NULL,
	};
}

/* Of any host about the next one. */
static bool live_pair(void *data, uint32_t from, uint32_t to, struct api_pair_live *ret)
{
	*ret = (struct api_pair_live){1, 2, 3, 4, 5, 6};
	return to == from + 1;
}

static void live_pairs(void *data, uint32_t from,
		       void (*fn)(void *user, uint32_t to, const struct api_pair_live *l),
		       void *user)
{
	struct api_pair_live l;

	(void)live_pair(data, from, from + 1, &l);
	fn(user, from + 1, &l);
}

static void live_drops(void *data, void (*fn)(void *user, const struct api_drop *d), void *user)
{
	struct fixture *f = data;

	for (size_t i = 0; i < f->n_drops; i++)
		fn(user, &f->drops[i]);
}

static void live_traffic(void *data, void (*fn)(void *user, const struct api_traffic *t),
			 void *user)
{
	static const struct api_traffic traffic[] = {
		{1, FORMAT_NONE, 1, 100, 2, 200},
		{1, FORMAT_SIIT_2, 30, 3000, 40, 4000},
		{2, FORMAT_MAX + 5, 5, 500, 6, 600},
		{99, FORMAT_SIIT_2, 7, 700, 8, 800}, /* deleted */
	};

	for (size_t i = 0; i < ARRAY_SIZE(traffic); i++)
		fn(user, &traffic[i]);
}

static bool live_usage(void *data, uint64_t interface, struct usage *ret)
{
	const struct fixture *f = data;

	if (interface != f->used)
		return false;
	*ret = (struct usage){
		.sum = {.tx_packets = 3, .tx_bytes = 300, .rx_packets = 2, .rx_bytes = 200},
		.used_ms = 90 * 60 * 1000,
		.reported_ms = clock_wall_ms(&f->clock)};
	return true;
}

static const char *const *live_managers(void *data)
{
	static const char *const managers[] = {"[fd00::1]:8774", NULL};

	return managers;
}

static int live_flow_records(void *data, uint64_t flow_log, uint64_t place, size_t most,
			     struct buf *b, uint64_t *ret_next)
{
	static const char lines[] = "2 111111111111 one\n2 111111111111 two\n";

	if (place < sizeof(lines) - 1)
		buf_put(b, lines + place, sizeof(lines) - 1 - place);
	*ret_next = sizeof(lines) - 1;
	return 0;
}

static int live_probe(void *data, uint32_t number)
{
	const struct fixture *f = data;

	return f->hosts_answer ? 0 : -ENOTCONN;
}

static int live_issue(void *data, const char *host_id, struct api_bundle *ret)
{
	*ret = (struct api_bundle){.ca = strdup("CA"),
				   .certificate = strdup(host_id),
				   .key = strdup("KEY"),
				   .cluster_id = 42};
	return ret->ca && ret->certificate && ret->key ? 0 : -ENOMEM;
}

/* The same ids in each run, so that the seeds of the fuzzer can name objects: splitmix64. */
static void fill(void *data, void *ret, size_t size)
{
	struct fixture *f = data;
	uint8_t *bytes = ret;

	while (size) {
		uint64_t z = f->n_ids += UINT64_C(0x9e3779b97f4a7c15);
		size_t n = size < sizeof(z) ? size : sizeof(z);

		z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
		z ^= z >> 31;
		memcpy(bytes, &z, n);
		bytes += n;
		size -= n;
	}
}

static struct tx *begin(struct fixture *f)
{
	struct tx *tx;

	must(tx_begin(f->model, clock_wall_ms(&f->clock), &tx), "begin");
	return tx;
}

static void end(struct tx *tx)
{
	struct change *c;

	must(tx_end(tx, &c), "end");
	change_free(c);
}

static void add_host(struct fixture *f, const char *name, const char *v6)
{
	const struct caller admin = {.is_operator = true};
	struct host_add_args args = {.name = name, .v6 = v6};
	struct capabilities can = {
		.formats = FORMAT_BIT(FORMAT_SIIT_1) | FORMAT_BIT(FORMAT_SIIT_2) |
			   FORMAT_BIT(FORMAT_IPIP6_1),
		.substrate_mtu = 1500,
		.tcx = true,
		.kernel = (char *)"6.1.0",
		.probed_ms = clock_wall_ms(&f->clock),
	};
	struct tx *tx = begin(f);
	const struct host *h;
	struct refusal refusal;
	uint32_t number;

	must(host_add(tx, &admin, &args, &h, &refusal), "host_add");
	number = h->number;
	must(host_report(tx, number, &can, &refusal), "host_report");
	end(tx);
	host_set_connected(f->model, number, true);
	release_host_known(f->model, number);
}

static void add_account(struct fixture *f, const char *id, const char *key, const char *secret)
{
	const struct caller admin = {.is_operator = true};
	struct account_create_args account = {.id = id, .name = "test"};
	struct key_create_args keys = {.account_id = id, .access_key_id = key, .secret = secret};
	struct tx *tx = begin(f);
	const struct account *a;
	const struct key *k;
	struct refusal refusal;

	must(account_create(tx, &admin, &account, &a, &refusal), "account_create");
	must(key_create(tx, &admin, &keys, &k, &refusal), "key_create");
	end(tx);
}

void fixture_init(struct fixture *f, bool real_time)
{
	struct model_config config = {.region = "us-east-1", .ids = {.fill = fill, .data = f}};
	uint8_t token[SHA256_DIGEST_LENGTH];
	struct api_config api = {.operator_token_sha256 = token};

	*f = (struct fixture){.hosts_answer = true};
	if (real_time)
		clock_init_real(&f->clock);
	else
		clock_init_manual(&f->clock, 1, UINT64_C(1769860800000));
	must(prefix_parse("fd56:6961::/32", &config.organisation), "prefix");
	must(prefix_parse("fd56:6976:3600::/40", &config.ipv6_pool), "pool");
	must(model_new(&config, &f->model), "model_new");
	f->live = (struct api_live){
		.data = f,
		.status = live_status,
		.host = live_host,
		.drops = live_drops,
		.traffic = live_traffic,
		.pair = live_pair,
		.pairs = live_pairs,
		.usage = live_usage,
		.managers = live_managers,
		.probe = live_probe,
		.flow_records = live_flow_records,
		.issue = live_issue,
	};
	SHA256((const uint8_t *)"operator", strlen("operator"), token);
	api.model = f->model;
	api.clock = &f->clock;
	api.live = &f->live;
	must(api_new(&api, &f->api), "api_new");
	add_account(f, "111111111111", "KEY1", "SECRET1");
	add_account(f, "222222222222", "KEY2", "SECRET2");
	add_host(f, "h1", "fd00::11");
	add_host(f, "h2", "fd00::12");
}

void fixture_deinit(struct fixture *f)
{
	api_free(f->api);
	model_free(f->model);
}

int fixture_set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	fixture_init(f, false);
	*state = f;
	return 0;
}

int fixture_tear_down(void **state)
{
	fixture_deinit(*state);
	free(*state);
	return 0;
}

static void acknowledge(struct fixture *f)
{
	struct model_iter it = model_iter_kind(f->model, KIND_HOST);
	uint64_t revision = model_revision(f->model);
	struct refusal refusal;
	const struct host *h;

	while ((h = (const struct host *)model_iter_next(&it))) {
		struct tx *tx = begin(f);

		must(host_acknowledge(tx, h->number, revision, NULL, 0, &refusal), "acknowledge");
		end(tx);
	}
}

/* Nothing is on its way: choices that changed need not wait for it. */
static void end_grace(struct fixture *f)
{
	struct tx *tx;

	must(tx_begin(f->model, clock_wall_ms(&f->clock) + LIMIT_MODEL_SHIFT_GRACE_MS, &tx),
	     "begin");
	must(pair_shift_tick(tx, SIZE_MAX, &(uint32_t){0}), "pair_shift_tick");
	end(tx);
}

/* An edge that was added is there at once, and gets what no edge has. */
static void connect_edges(struct fixture *f)
{
	struct model_iter it = model_iter_group(f->model, REL_EDGES, 0);
	const struct host *h;
	struct tx *tx;

	while ((h = (const struct host *)model_iter_next(&it))) {
		struct capabilities can = {.formats = FORMAT_BIT(FORMAT_SIIT_2),
					   .substrate_mtu = 1500,
					   .probed_ms = clock_wall_ms(&f->clock)};
		uint32_t number = h->number;
		struct refusal refusal;

		if (host_is_connected(f->model, number))
			continue;
		tx = begin(f);
		must(host_report(tx, number, &can, &refusal), "host_report");
		end(tx);
		host_set_connected(f->model, number, true);
		release_host_known(f->model, number);
		/* its place is another version's now */
		it = model_iter_group(f->model, REL_EDGES, 0);
	}
	if (!edge_due(f->model, 1))
		return;
	tx = begin(f);
	must(edge_settle(tx, 1, 1000), "edge_settle");
	end(tx);
}

void fixture_handle(struct fixture *f, const struct http_request *r, struct api_answer *ret)
{
	api_handle(f->api, r, ret);
	ret->change = change_free(ret->change);
	connect_edges(f);
	if (f->hosts_answer) {
		acknowledge(f);
		end_grace(f);
	}
}

static void handle_signed(struct fixture *f, int account, struct http_request *r,
			  struct api_answer *ret)
{
	struct http_header headers[3] = {{"Host", "127.0.0.1:8773"}};
	struct sigv4_sign_args args = {
		.access_key_id = account == 1 ? "KEY1" : "KEY2",
		.secret = account == 1 ? "SECRET1" : "SECRET2",
		.region = "us-east-1",
		.service = "ec2",
	};
	char date[SIGV4_TIMESTAMP_SIZE];
	struct sigv4_cache cache = {};
	struct arena arena;

	arena_init(&arena, LIMIT_API_ARENA_SIZE);
	sigv4_timestamp(clock_wall_ms(&f->clock), date);
	headers[1] = (struct http_header){"X-Amz-Date", date};
	r->headers = headers;
	r->n_headers = 2;
	headers[2] = (struct http_header){"Authorization", sigv4_sign(r, &args, &cache, &arena)};
	r->n_headers = 3;
	fixture_handle(f, r, ret);
	arena_deinit(&arena);
}

void fixture_ec2(struct fixture *f, int account, const char *form, struct api_answer *ret)
{
	struct http_request r = {
		.method = "POST", .path = "/", .body = form, .body_size = strlen(form)};

	handle_signed(f, account, &r, ret);
}

void fixture_account(struct fixture *f, int account, const char *path, const char *query,
		     struct api_answer *ret)
{
	struct http_request r = {.method = "GET", .path = path, .query = query};

	handle_signed(f, account, &r, ret);
}

char *fixture_create(struct fixture *f, const char *form, const char *element)
{
	struct api_answer a;
	char *id;

	fixture_ec2(f, 1, form, &a);
	id = answer_element(&a, element);
	if (a.status != 200 || !id) {
		fprintf(stderr, "fixture: %s: %d %s\n", form, a.status, answer_text(&a));
		abort();
	}
	api_answer_deinit(&a);
	return id;
}

void fixture_operator(struct fixture *f, const char *method, const char *path, const char *query,
		      const char *body, struct api_answer *ret)
{
	const struct http_header header = {"authorization", "Bearer operator"};
	struct http_request r = {
		.method = method,
		.path = path,
		.query = query,
		.headers = &header,
		.n_headers = 1,
		.body = body,
		.body_size = body ? strlen(body) : 0,
	};

	fixture_handle(f, &r, ret);
}

const char *answer_text(struct api_answer *a)
{
	/* A terminator behind the content, which is not part of it. */
	buf_put_u8(&a->body, 0);
	must(buf_error(&a->body), "answer");
	a->body.end--;
	return (const char *)buf_data(&a->body);
}

bool answer_is_fault(struct api_answer *a)
{
	return a->status >= 500 && strstr(answer_text(a), "InternalError");
}

char *answer_element(struct api_answer *a, const char *name)
{
	char tag[64];
	const char *begin_at, *end_at;

	snprintf(tag, sizeof(tag), "<%s>", name);
	begin_at = strstr(answer_text(a), tag);
	if (!begin_at)
		return NULL;
	begin_at += strlen(tag);
	end_at = strchr(begin_at, '<');
	return end_at ? strndup(begin_at, (size_t)(end_at - begin_at)) : NULL;
}
