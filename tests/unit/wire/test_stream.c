/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions over TLS on the loopback: who gets in, what arrives, how it ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/loop.h"
#include "wire/session.h"

#include "peer.h"

struct fixture {
	struct clock clock;
	struct loop *loop;
	struct pki_pair ca, server_pair, host_pair;
	struct tls_context *server_tls;
	int listener;
	struct sockaddr_in addr;
	struct watch watch;
	struct peer client, server;
	const char *removed; /* the host id that is refused */
};

static bool admit(const struct pki_info *info, void *arg)
{
	const struct fixture *f = arg;

	return !f->removed || strcmp(info->name, f->removed);
}

static void on_connection(struct watch *watch, unsigned int ready, void *data)
{
	struct fixture *f = data;
	struct session *session;
	int fd = accept(f->listener, NULL, NULL);

	assert_true(fd >= 0);
	assert_int_equal(
		session_accept(f->loop, f->server_tls, fd, &peer_callbacks, &f->server, &session),
		0);
}

static int setup(void **state)
{
	static const char *const names[] = {"127.0.0.1"};
	struct fixture *f = calloc(1, sizeof(*f));
	struct pki_validity validity;
	socklen_t size = sizeof(f->addr);

	clock_init_real(&f->clock);
	validity = (struct pki_validity){.now_ms = clock_wall_ms(&f->clock), .days = 1};
	assert_int_equal(loop_new(&f->clock, &f->loop), 0);
	assert_int_equal(pki_make_ca("Test CA", validity, &f->ca), 0);
	assert_int_equal(pki_make_server(&f->ca, names, 1, validity, &f->server_pair), 0);
	assert_int_equal(pki_make_host(&f->ca, "host-7", validity, &f->host_pair), 0);
	assert_int_equal(
		tls_server_new(f->ca.certificate, &f->server_pair, admit, f, &f->server_tls), 0);
	f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	f->addr.sin_family = AF_INET;
	f->addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(f->listener, (struct sockaddr *)&f->addr, size), 0);
	assert_int_equal(listen(f->listener, 16), 0);
	assert_int_equal(getsockname(f->listener, (struct sockaddr *)&f->addr, &size), 0);
	assert_int_equal(watch_init(&f->watch, f->loop, f->listener, WATCH_READ, on_connection, f),
			 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	if (f->client.session)
		session_close(f->client.session, VIADUCT__AGENT__GOODBYE__CODE__UNSPECIFIED, "");
	if (f->server.session)
		session_close(f->server.session, VIADUCT__AGENT__GOODBYE__CODE__UNSPECIFIED, "");
	/* Lingering connections go within LIMIT_WIRE_GOODBYE_MS. */
	for (int i = 0; i < 20; i++)
		assert_int_equal(loop_turn(f->loop, 5), 0);
	watch_deinit(&f->watch);
	close(f->listener);
	tls_free(f->server_tls);
	pki_pair_deinit(&f->ca);
	pki_pair_deinit(&f->server_pair);
	pki_pair_deinit(&f->host_pair);
	loop_free(f->loop);
	free(f);
	return 0;
}

static void connect_with(struct fixture *f, const struct pki_pair *pair, const char *ca,
			 const char *peer_name)
{
	struct tls_context *tls;
	struct session *session;

	assert_int_equal(tls_client_new(ca, pair, &tls), 0);
	assert_int_equal(session_connect(f->loop, tls, (struct sockaddr *)&f->addr, sizeof(f->addr),
					 peer_name, &peer_callbacks, &f->client, &session),
			 0);
	tls_free(tls);
}

/* Runs the loop until 'done' is not zero, at most twenty seconds. */
#define run_until(f, done)                                                                         \
	do {                                                                                       \
		uint64_t until_ = clock_mono_ns(&(f)->clock) + 20 * CLOCK_NS_PER_S;                \
                                                                                                   \
		while (!(done) && clock_mono_ns(&(f)->clock) < until_)                             \
			assert_int_equal(loop_turn((f)->loop, 10), 0);                             \
		assert_true(done);                                                                 \
	} while (0)

static void open_both(struct fixture *f)
{
	connect_with(f, &f->host_pair, f->ca.certificate, "127.0.0.1");
	run_until(f, f->client.opened && f->server.opened);
}

static void the_certificate_names_the_host(void **state)
{
	struct fixture *f = *state;

	open_both(f);
	assert_string_equal(f->server.name, "host-7");
	assert_string_equal(f->client.name, "viaductd");
	assert_int_equal(strncmp(session_peer_addr(f->server.session), "127.0.0.1:", 10), 0);
}

static void many_frames_pass_both_ways(void **state)
{
	struct fixture *f = *state;

	open_both(f);
	f->server.echo = true;
	for (uint64_t i = 0; i < 50000; i++)
		assert_int_equal(peer_send(f->client.session, i), 0);
	run_until(f, f->client.received == 50000);
	for (uint64_t i = 0; i < ARRAY_SIZE(f->client.seqs); i++)
		assert_int_equal(f->client.seqs[i], i);
}

/* The server stops reading each time that a few answers wait to leave, and goes on after. */
static void reading_goes_on_after_a_pause(void **state)
{
	struct fixture *f = *state;

	open_both(f);
	f->server.echo = true;
	session_set_queue_limit(f->server.session, 1024);
	for (uint64_t i = 0; i < 5000; i++)
		assert_int_equal(peer_send(f->client.session, i), 0);
	run_until(f, f->client.received == 5000);
	for (uint64_t i = 0; i < ARRAY_SIZE(f->client.seqs); i++)
		assert_int_equal(f->client.seqs[i], i);
}

/* Much more than sockets hold waits for a peer that does not run; then it leaves, in order. */
static void what_the_socket_does_not_take_waits(void **state)
{
	enum { BLOCK = 1024 * 1024, BLOCKS = 12 };
	_cleanup_free_ char *name = calloc(1, BLOCK);
	Viaduct__Agent__Question question = VIADUCT__AGENT__QUESTION__INIT;
	Viaduct__Agent__Question *questions[] = {&question};
	Viaduct__Agent__Resolve resolve = VIADUCT__AGENT__RESOLVE__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;
	struct fixture *f = *state;

	open_both(f);
	memset(name, 'n', BLOCK - 1);
	question.name = name;
	resolve.n_questions = 1;
	resolve.questions = questions;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_RESOLVE;
	frame.resolve = &resolve;
	for (uint64_t i = 0; i < BLOCKS; i++) {
		resolve.seq = i;
		assert_int_equal(session_send(f->client.session, &frame), 0);
		session_flush(f->client.session);
	}
	assert_true(session_queued(f->client.session) > BLOCK);
	run_until(f, f->server.received == BLOCKS);
	for (uint64_t i = 0; i < BLOCKS; i++)
		assert_int_equal(f->server.seqs[i], i);
	assert_int_equal(session_queued(f->client.session), 0);
}

static void a_frame_of_the_largest_size_passes(void **state)
{
	_cleanup_free_ char *name = malloc(LIMIT_WIRE_FRAME_SIZE);
	Viaduct__Agent__Question question = VIADUCT__AGENT__QUESTION__INIT;
	Viaduct__Agent__Question *questions[] = {&question};
	Viaduct__Agent__Resolve resolve = VIADUCT__AGENT__RESOLVE__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;
	struct fixture *f = *state;

	open_both(f);
	memset(name, 'n', LIMIT_WIRE_FRAME_SIZE);
	name[LIMIT_WIRE_FRAME_SIZE - 64] = '\0';
	question.name = name;
	resolve.seq = 99;
	resolve.n_questions = 1;
	resolve.questions = questions;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_RESOLVE;
	frame.resolve = &resolve;
	assert_int_equal(session_send(f->client.session, &frame), 0);
	assert_int_equal(peer_send(f->client.session, 100), 0);
	run_until(f, f->server.received == 2);
	assert_int_equal(f->server.seqs[0], 99);
	assert_int_equal(f->server.seqs[1], 100);
}

static void a_removed_host_is_refused(void **state)
{
	struct fixture *f = *state;

	f->removed = "host-7";
	connect_with(f, &f->host_pair, f->ca.certificate, NULL);
	run_until(f, f->client.closed && f->server.closed);
	assert_int_equal(f->server.opened, 0);
	assert_int_equal(f->server.end, SESSION_END_TLS);
	assert_int_equal(f->client.end, SESSION_END_TLS);
}

static void a_stranger_is_refused(void **state)
{
	struct pki_pair ca = {0}, stranger = {0};
	struct fixture *f = *state;
	struct pki_validity validity = {.now_ms = clock_wall_ms(&f->clock), .days = 1};

	/* Its own CA: it trusts ours, we must not trust it. */
	assert_int_equal(pki_make_ca("Test CA", validity, &ca), 0);
	assert_int_equal(pki_make_host(&ca, "host-7", validity, &stranger), 0);
	connect_with(f, &stranger, ca.certificate, NULL);
	run_until(f, f->client.closed && f->server.closed);
	assert_int_equal(f->server.opened, 0);
	assert_int_equal(f->client.opened, 0); /* nor does it trust the server */
	assert_int_equal(f->client.end, SESSION_END_TLS);
	pki_pair_deinit(&ca);
	pki_pair_deinit(&stranger);
}

static void an_expired_certificate_is_refused(void **state)
{
	struct pki_pair old = {0};
	struct fixture *f = *state;
	char today[CLOCK_DATE_SIZE];
	struct pki_validity validity = {
		.now_ms = clock_wall_ms(&f->clock) - UINT64_C(3) * 86400000,
		.days = 1,
	};

	assert_int_equal(pki_make_host(&f->ca, "host-7", validity, &old), 0);
	connect_with(f, &old, f->ca.certificate, NULL);
	run_until(f, f->client.closed && f->server.closed);
	assert_int_equal(f->server.opened, 0);
	assert_non_null(strstr(f->server.text, "expired"));
	assert_non_null(strstr(f->server.text, clock_date_text(clock_wall_ms(&f->clock), today)));
	pki_pair_deinit(&old);
}

static void a_server_certificate_cannot_act_as_a_host(void **state)
{
	struct fixture *f = *state;

	connect_with(f, &f->server_pair, f->ca.certificate, NULL);
	run_until(f, f->client.closed && f->server.closed);
	assert_int_equal(f->server.opened, 0);
}

static void the_server_must_be_who_was_dialled(void **state)
{
	struct fixture *f = *state;

	connect_with(f, &f->host_pair, f->ca.certificate, "192.0.2.1");
	run_until(f, f->client.closed);
	assert_int_equal(f->client.opened, 0);
	assert_int_equal(f->client.end, SESSION_END_TLS);
}

static void nobody_there_is_told_as_the_end(void **state)
{
	struct fixture *f = *state;

	f->addr.sin_port = htons(1);
	connect_with(f, &f->host_pair, f->ca.certificate, NULL);
	run_until(f, f->client.closed);
	assert_int_equal(f->client.end, SESSION_END_CONNECT);
	assert_non_null(strstr(f->client.text, "refused"));
	assert_int_equal(f->client.opened, 0);
}

static void goodbye_arrives_over_tls(void **state)
{
	struct fixture *f = *state;

	open_both(f);
	f->server.close_first = true;
	for (uint64_t i = 0; i < 1000; i++)
		assert_int_equal(peer_send(f->client.session, i), 0);
	run_until(f, f->client.closed && f->server.closed);
	assert_int_equal(f->server.received, 1);
	assert_int_equal(f->client.goodbye, VIADUCT__AGENT__GOODBYE__CODE__REPLACED);
	assert_int_equal(f->client.end, SESSION_END_PEER);
}

static void bytes_that_are_not_tls_end_the_session(void **state)
{
	struct fixture *f = *state;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&f->addr, sizeof(f->addr)), 0);
	assert_int_equal(write(fd, "GET / HTTP/1.0\r\n\r\n", 18), 18);
	run_until(f, f->server.closed);
	assert_int_equal(f->server.end, SESSION_END_TLS);
	assert_int_equal(f->server.opened, 0);
	close(fd);
}

static void a_record_too_large_ends_the_session(void **state)
{
	static const uint8_t huge[] = {0xff, 0xff, 0xff, 0xff, 1, 2, 3};
	struct fixture *f = *state;

	open_both(f);
	assert_int_equal(session_send_bytes(f->client.session, huge, sizeof(huge)), 0);
	run_until(f, f->client.closed && f->server.closed);
	assert_int_equal(f->server.end, SESSION_END_PROTOCOL);
	assert_int_equal(f->client.goodbye, VIADUCT__AGENT__GOODBYE__CODE__PROTOCOL);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_certificate_names_the_host),
		TEST(many_frames_pass_both_ways),
		TEST(reading_goes_on_after_a_pause),
		TEST(what_the_socket_does_not_take_waits),
		TEST(a_frame_of_the_largest_size_passes),
		TEST(a_removed_host_is_refused),
		TEST(a_stranger_is_refused),
		TEST(an_expired_certificate_is_refused),
		TEST(a_server_certificate_cannot_act_as_a_host),
		TEST(the_server_must_be_who_was_dialled),
		TEST(nobody_there_is_told_as_the_end),
		TEST(goodbye_arrives_over_tls),
		TEST(bytes_that_are_not_tls_end_the_session),
		TEST(a_record_too_large_ends_the_session),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
