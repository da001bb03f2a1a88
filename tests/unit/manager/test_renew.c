/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions of hosts over TLS on the loopback: how certificates are renewed, and the manager stops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <netinet/in.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/loop.h"
#include "manager/descriptors.h"
#include "manager/gate.h"
#include "manager/manager.h"
#include "manager/persist.h"
#include "model/host.h"
#include "model/tx.h"
#include "store/store_memory.h"

#define DAY_MS UINT64_C(86400000)

/* What an agent hears. */
struct agent_end {
	struct session *session;
	const char *host_id;
	bool welcome, closed, complete;
	struct pki_pair renewed;
	unsigned int n_renewed;
};

struct fixture {
	struct clock clock;
	struct loop *loop;
	struct store_disk *disk;
	struct manager *manager;
	struct gate *gate;
	struct pki_pair ca, server;
	struct sockaddr_in addr;
	char host_id[ID_TEXT_SIZE];
	struct agent_end agent;
};

static void fill(void *data, void *ret, size_t size)
{
	memset(ret, 0x5a, size);
}

static void add_host(struct fixture *f)
{
	static const struct caller the_operator = {.is_operator = true};
	struct host_add_args args = {.name = "h1", .v6 = "fd00::1"};
	struct refusal refusal;
	const struct host *host;
	struct tx *tx;

	assert_int_equal(tx_begin(f->manager->model, 1, &tx), 0);
	assert_int_equal(host_add(tx, &the_operator, &args, &host, &refusal), 0);
	object_id_text(&host->o, f->host_id);
	assert_int_equal(manager_submit(f->manager, tx), 0);
	journal_drain(f->manager->journal);
}

static int setup(void **state)
{
	static const char *const names[] = {"127.0.0.1"};
	struct fixture *f = calloc(1, sizeof(*f));
	struct manager_config config = {.lease_seconds = 300, .ca = &f->ca};
	struct model_config model = {.region = "us-east-1", .ids.fill = fill};
	socklen_t size = sizeof(f->addr);
	struct pki_validity validity;
	int fd;

	clock_init_real(&f->clock);
	validity = (struct pki_validity){clock_wall_ms(&f->clock), 1000};
	assert_int_equal(loop_new(&f->clock, &f->loop), 0);
	assert_int_equal(prefix_parse("fd56:6961::/32", &model.organisation), 0);
	assert_int_equal(store_disk_new(&f->disk), 0);
	assert_int_equal(store_memory_open(f->disk, &config.store), 0);
	assert_int_equal(model_new(&model, &config.model), 0);
	assert_int_equal(persist_load(config.store, config.model), 0);
	config.loop = f->loop;
	assert_int_equal(manager_new(&config, &f->manager), 0);
	add_host(f);
	assert_int_equal(pki_make_ca("test", validity, &f->ca), 0);
	assert_int_equal(pki_make_server(&f->ca, names, 1, validity, &f->server), 0);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	f->addr.sin_family = AF_INET;
	f->addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&f->addr, size), 0);
	assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&f->addr, &size), 0);
	assert_int_equal(gate_new(f->manager, f->ca.certificate, &f->server, fd,
				  &descriptors_unlimited, &f->gate),
			 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	gate_free(f->gate);
	manager_free(f->manager);
	pki_pair_deinit(&f->agent.renewed);
	pki_pair_deinit(&f->ca);
	pki_pair_deinit(&f->server);
	loop_free(f->loop);
	store_disk_free(f->disk);
	free(f);
	return 0;
}

static void opened(struct session *session, void *user)
{
	Viaduct__Agent__Hello hello = VIADUCT__AGENT__HELLO__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;
	struct agent_end *agent = user;

	agent->session = session;
	hello.protocol_min = hello.protocol_max = 1;
	hello.host_id = (char *)agent->host_id;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_HELLO;
	frame.hello = &hello;
	assert_int_equal(session_send(session, &frame), 0);
}

static void received(struct session *session, const Viaduct__Agent__Frame *frame, void *user)
{
	struct agent_end *agent = user;

	agent->welcome |= frame->body_case == VIADUCT__AGENT__FRAME__BODY_WELCOME;
	/* Comes at the end of what a Hello causes. */
	agent->complete |= frame->body_case == VIADUCT__AGENT__FRAME__BODY_DESIRED;
	if (frame->body_case != VIADUCT__AGENT__FRAME__BODY_CERTIFICATE)
		return;
	pki_pair_deinit(&agent->renewed);
	agent->renewed.certificate = strdup(frame->certificate->certificate);
	agent->renewed.key = strdup(frame->certificate->key);
	agent->n_renewed++;
}

static void closed(struct session *session, enum session_end end, const char *text, void *user)
{
	struct agent_end *agent = user;

	agent->session = NULL;
	agent->closed = true;
}

static const struct session_callbacks callbacks = {
	.opened = opened,
	.received = received,
	.closed = closed,
};

#define run_until(f, done)                                                                         \
	do {                                                                                       \
		for (int i_ = 0; !(done) && i_ < 2000; i_++)                                       \
			assert_int_equal(loop_turn((f)->loop, 10), 0);                             \
		assert_true(done);                                                                 \
	} while (0)

/* A session with 'pair', until the host has its desired state. */
static void come(struct fixture *f, const struct pki_pair *pair)
{
	struct tls_context *tls;
	struct session *session;

	f->agent.host_id = f->host_id;
	f->agent.welcome = f->agent.closed = f->agent.complete = false;
	assert_int_equal(tls_client_new(f->ca.certificate, pair, &tls), 0);
	assert_int_equal(session_connect(f->loop, tls, (struct sockaddr *)&f->addr, sizeof(f->addr),
					 NULL, &callbacks, &f->agent, &session),
			 0);
	tls_free(tls);
	run_until(f, f->agent.complete);
	assert_true(f->agent.welcome);
}

static void leave(struct fixture *f)
{
	session_close(f->agent.session, VIADUCT__AGENT__GOODBYE__CODE__UNSPECIFIED, "");
	run_until(f, f->agent.closed);
}

static void make_certificate(struct fixture *f, uint32_t days, struct pki_pair *ret)
{
	struct pki_validity validity = {clock_wall_ms(&f->clock), days};

	assert_int_equal(pki_make_host(&f->ca, f->host_id, validity, ret), 0);
}

/* requirement: OPS-3 */
static void one_that_ends_soon_is_renewed(void **state)
{
	struct fixture *f = *state;
	struct pki_pair old, next;
	struct pki_info info;

	make_certificate(f, LIMIT_HOST_CERTIFICATE_RENEW_DAYS - 1, &old);
	come(f, &old);
	assert_int_equal(f->agent.n_renewed, 1);
	assert_int_equal(pki_check(f->ca.certificate, &f->agent.renewed), 0);
	assert_int_equal(pki_info(f->agent.renewed.certificate, &info), 0);
	assert_string_equal(info.name, f->host_id);
	assert_true(info.not_after_ms >
		    clock_wall_ms(&f->clock) + (LIMIT_HOST_CERTIFICATE_DAYS - 1) * DAY_MS);
	leave(f);
	/* The old one is still good, and then the next is given: perhaps it could not be kept. */
	come(f, &old);
	assert_int_equal(f->agent.n_renewed, 2);
	leave(f);
	/* With the new one there is nothing to renew. */
	next = f->agent.renewed;
	f->agent.renewed = (struct pki_pair){0};
	come(f, &next);
	assert_int_equal(f->agent.n_renewed, 2);
	leave(f);
	pki_pair_deinit(&old);
	pki_pair_deinit(&next);
}

static void one_that_lasts_is_not(void **state)
{
	struct fixture *f = *state;
	struct pki_pair pair;

	make_certificate(f, LIMIT_HOST_CERTIFICATE_RENEW_DAYS + 1, &pair);
	come(f, &pair);
	assert_int_equal(f->agent.n_renewed, 0);
	leave(f);
	pki_pair_deinit(&pair);
}

/* A connection that has not come to TLS yet ends with the manager, and not after it. */
/* requirement: OPS-3 */
static void a_manager_that_stops_ends_handshakes(void **state)
{
	struct fixture *f = *state;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char byte;

	assert_int_equal(connect(fd, (struct sockaddr *)&f->addr, sizeof(f->addr)), 0);
	while (!f->manager->sessions.n)
		assert_int_equal(loop_turn(f->loop, 100), 0);
	f->gate = gate_free(f->gate);
	f->manager = manager_free(f->manager);
	assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT), 0);
	close(fd);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_that_ends_soon_is_renewed),
		TEST(one_that_lasts_is_not),
		TEST(a_manager_that_stops_ends_handshakes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
