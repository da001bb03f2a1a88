/* SPDX-License-Identifier: Apache-2.0 */
/* Clients that take all connections they can get: nobody else goes without, and nothing is left of
 * them. */
#include "http_world.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "manager/gate.h"
#include "manager/listen.h"
#include "model/host.h"
#include "wire/session.h"

/* A process with few descriptors, and its clients: many times as many. */
enum { HTTP_END = 48, AGENTS_END = 56, DESCRIPTORS = 64, SILENT = 1000, WAIT_MS = 120000 };

struct fixture {
	struct http_world *http;
	struct pki_pair server;
	struct gate *gate;
	struct sockaddr_in gate_addr;
	struct rlimit before;
	/* the process of clients that say nothing, and how it is told to end; 0: there is none */
	pid_t silent;
	int silent_end;
};

/* What an agent hears. */
struct agent_end {
	bool opened, closed;
};

/* INT_MAX: none. */
static int lowest_free(void)
{
	int fd = fcntl(STDIN_FILENO, F_DUPFD, 0);

	if (fd < 0)
		return INT_MAX;
	close(fd);
	return fd;
}

#define run_until(f, done)                                                                         \
	do {                                                                                       \
		struct clock *c_ = &(f)->http->clock;                                              \
		uint64_t end_ = clock_mono_ns(c_) + WAIT_MS * CLOCK_NS_PER_MS;                     \
		while (!(done) && clock_mono_ns(c_) < end_)                                        \
			assert_int_equal(loop_turn((f)->http->loop, 10), 0);                       \
		assert_true(done);                                                                 \
	} while (0)

static void open_gate(struct fixture *f, const struct descriptors *shares)
{
	static const char *const names[] = {"127.0.0.1"};
	struct pki_validity validity = {clock_wall_ms(&f->http->clock), 1};
	socklen_t size = sizeof(f->gate_addr);
	struct listen_addr addr;
	int fd;

	assert_int_equal(pki_make_server(&f->http->ca, names, 1, validity, &f->server), 0);
	assert_int_equal(listen_parse("127.0.0.1:1", &addr), 0);
	((struct sockaddr_in *)&addr.addr)->sin_port = 0;
	assert_int_equal(listen_open(&addr, &fd), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&f->gate_addr, &size), 0);
	assert_int_equal(gate_new(f->http->manager, f->http->ca.certificate, &f->server, fd, shares,
				  &f->gate),
			 0);
}

static int set_up(void **state, const struct descriptors *shares)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct rlimit few;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &f->before), 0);
	few = (struct rlimit){DESCRIPTORS, f->before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	f->http = http_world_new(shares);
	open_gate(f, shares);
	*state = f;
	return 0;
}

static int setup(void **state)
{
	static const struct descriptors shares = {HTTP_END, AGENTS_END};

	return set_up(state, &shares);
}

static int setup_unlimited(void **state)
{
	return set_up(state, &descriptors_unlimited);
}

static void the_silent_go(struct fixture *f)
{
	if (!f->silent)
		return;
	close(f->silent_end);
	assert_int_equal(waitpid(f->silent, NULL, 0), f->silent);
	f->silent = 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	the_silent_go(f);
	gate_free(f->gate);
	http_world_free(f->http);
	pki_pair_deinit(&f->server);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &f->before), 0);
	free(f);
	return 0;
}

/* Opens connections, says so, and keeps them until the other end of 'link' is closed. */
static void be_silent(const struct sockaddr_in *to, int n, int link)
{
	struct rlimit limit;
	char byte = 0;
	int fd;

	/* Nothing of the parent's: what it closes must be closed. */
	if ((link > 3 && close_range(3, (unsigned int)link - 1, 0)) ||
	    close_range((unsigned int)link + 1, UINT_MAX, 0))
		_exit(1);
	if (getrlimit(RLIMIT_NOFILE, &limit))
		_exit(2);
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		_exit(3);
	for (int i = 0; i < n; i++) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (fd < 0 || connect(fd, (const struct sockaddr *)to, sizeof(*to)))
			_exit(4);
	}
	_exit(write(link, &byte, 1) != 1 || read(link, &byte, 1) != 0);
}

static void the_silent_come(struct fixture *f, const struct sockaddr_in *to, int n)
{
	int link[2];
	char byte;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, link), 0);
	f->silent = fork();
	assert_true(f->silent >= 0);
	if (!f->silent)
		be_silent(to, n, link[1]);
	close(link[1]);
	f->silent_end = link[0];
	assert_int_equal(read(f->silent_end, &byte, 1), 1);
}

static void opened(struct session *session, void *user)
{
	((struct agent_end *)user)->opened = true;
}

static void received(struct session *session, const Viaduct__Agent__Frame *frame, void *user)
{
}

static void closed(struct session *session, enum session_end end, const char *text, void *user)
{
	((struct agent_end *)user)->closed = true;
}

/* An agent comes, is known, and goes; as a real one it dials again while the gate is full. */
static void an_agent_comes(struct fixture *f)
{
	static const struct session_callbacks callbacks = {opened, received, closed, NULL};
	const struct host *host = host_find(f->http->manager->model, "h1");
	struct pki_validity validity = {clock_wall_ms(&f->http->clock), 1};
	size_t before = f->http->manager->sessions.n;
	char id[ID_TEXT_SIZE];
	uint64_t end_ns = clock_mono_ns(&f->http->clock) + WAIT_MS * CLOCK_NS_PER_MS;
	struct agent_end agent;
	struct tls_context *tls;
	struct session *session;
	struct pki_pair pair;

	assert_non_null(host);
	object_id_text(&host->o, id);
	assert_int_equal(pki_make_host(&f->http->ca, id, validity, &pair), 0);
	assert_int_equal(tls_client_new(f->http->ca.certificate, &pair, &tls), 0);
	pki_pair_deinit(&pair);
	do {
		agent = (struct agent_end){0};
		assert_int_equal(
			session_connect(f->http->loop, tls, (struct sockaddr *)&f->gate_addr,
					sizeof(f->gate_addr), NULL, &callbacks, &agent, &session),
			0);
		run_until(f, agent.opened || agent.closed);
	} while (!agent.opened && clock_mono_ns(&f->http->clock) < end_ns);
	tls_free(tls);
	assert_true(agent.opened);
	run_until(f, f->http->manager->sessions.n == before + 1);
	session_close(session, VIADUCT__AGENT__GOODBYE__CODE__UNSPECIFIED, "");
	run_until(f, agent.closed && f->http->manager->sessions.n == before);
}

static int honest_client(struct fixture *f)
{
	int fd = dial(f->http);

	say(fd, "POST", "/v1/hosts", "{\"name\":\"h1\",\"v6\":\"fd00::5\"}");
	assert_int_equal(hear(f->http, fd, WAIT_MS), 201);
	return fd;
}

/* requirement: OPS-1 OPS-3 */
static void who_takes_all_connections_keeps_no_agent_out(void **state)
{
	struct fixture *f = *state;
	int before = lowest_free(), early = honest_client(f), late, file;

	the_silent_come(f, &f->http->addr, SILENT);
	run_until(f, lowest_free() >= HTTP_END);
	late = dial(f->http);
	say(late, "GET", "/v1/status", "");
	assert_int_equal(hear(f->http, late, 4 * LIMIT_HTTP_PAUSE_MS), 0);
	/* Agents, files and clients that were there notice nothing. */
	an_agent_comes(f);
	file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(file >= 0 && file < AGENTS_END);
	close(file);
	for (int i = 0; i < 10; i++) {
		say(early, "GET", "/v1/status", "");
		assert_int_equal(hear(f->http, early, WAIT_MS), 200);
	}
	/* Who waits is answered when there is room, without asking anew. */
	the_silent_go(f);
	assert_int_equal(hear(f->http, late, WAIT_MS), 200);
	close(late);
	close(early);
	run_until(f, lowest_free() == before);
}

/* requirement: OPS-3 */
static void who_takes_all_of_the_gate_keeps_no_client_out(void **state)
{
	struct fixture *f = *state;
	int before = lowest_free(), early = honest_client(f), late;

	the_silent_come(f, &f->gate_addr, 100);
	run_until(f, f->http->manager->sessions.n >= AGENTS_END - HTTP_END);
	for (int i = 0; i < 100; i++)
		assert_int_equal(loop_turn(f->http->loop, 1), 0);
	assert_int_equal(f->http->manager->sessions.n, AGENTS_END - HTTP_END);
	assert_true(lowest_free() < HTTP_END / 2);
	late = dial(f->http);
	say(late, "GET", "/v1/status", "");
	assert_int_equal(hear(f->http, late, WAIT_MS), 200);
	the_silent_go(f);
	run_until(f, !f->http->manager->sessions.n);
	an_agent_comes(f);
	close(late);
	close(early);
	run_until(f, lowest_free() == before);
}

/* Requests by new connections, one after the other and many at once, beside clients that say
 * nothing until they are let go.  requirement: OPS-1 */
static void no_request_is_lost_beside_them(void **state)
{
	struct fixture *f = *state;
	int before = lowest_free(), fds[8], silent[HTTP_END];
	size_t n = 0;

	/* Both ends of each have numbers here; room is left for those that speak. */
	while (lowest_free() < HTTP_END - 2 * (int)ARRAY_SIZE(fds)) {
		silent[n++] = dial(f->http);
		assert_int_equal(loop_turn(f->http->loop, 10), 0);
	}
	for (int i = 0; i < 2000; i++) {
		int fd = dial(f->http);

		say(fd, "GET", "/v1/status", "");
		assert_int_equal(hear(f->http, fd, WAIT_MS), 200);
		close(fd);
	}
	for (int round = 0; round < 300; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
			fds[i] = dial(f->http);
			say(fds[i], "GET", "/v1/status", "");
		}
		for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
			assert_int_equal(hear(f->http, fds[i], WAIT_MS), 200);
			close(fds[i]);
		}
	}
	/* The last of the silent came when more than half was in use. */
	assert_int_equal(hear(f->http, silent[n - 1], 4 * LIMIT_HTTP_CROWD_TIMEOUT_S * 1000), -1);
	for (size_t i = 0; i < n; i++)
		close(silent[i]);
	run_until(f, lowest_free() == before);
}

/* Where nothing is shared out and the process has no descriptor left.  requirement: OPS-3 */
static void running_out_is_survived(void **state)
{
	struct fixture *f = *state;
	int early = honest_client(f), late = dial(f->http);

	say(late, "GET", "/v1/status", "");
	the_silent_come(f, &f->http->addr, SILENT);
	run_until(f, lowest_free() == INT_MAX);
	say(early, "GET", "/v1/status", "");
	assert_int_equal(hear(f->http, early, WAIT_MS), 200);
	the_silent_go(f);
	assert_int_equal(hear(f->http, late, WAIT_MS), 200);
	close(late);
	late = dial(f->http);
	say(late, "GET", "/v1/status", "");
	assert_int_equal(hear(f->http, late, WAIT_MS), 200);
	close(late);
	close(early);
}

static void shares_fit_into_what_there_is(void **state)
{
	static const struct {
		rlim_t limit;
		int http_end, agents_end;
	} rows[] = {
		{64, 24, 48},
		{1024, 384, 768},
		{4096, 1920, 3840},
		{65536, LIMIT_HTTP_CLIENTS, LIMIT_HTTP_CLIENTS + LIMIT_SESSIONS},
		{1 << 30, LIMIT_HTTP_CLIENTS, LIMIT_HTTP_CLIENTS + LIMIT_SESSIONS},
		{RLIM_INFINITY, LIMIT_HTTP_CLIENTS, LIMIT_HTTP_CLIENTS + LIMIT_SESSIONS},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct descriptors d = descriptors_share_out(rows[i].limit);

		assert_int_equal(d.http_end, rows[i].http_end);
		assert_int_equal(d.agents_end, rows[i].agents_end);
	}
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(who_takes_all_connections_keeps_no_agent_out),
		TEST(who_takes_all_of_the_gate_keeps_no_client_out),
		TEST(no_request_is_lost_beside_them),
		cmocka_unit_test_setup_teardown(running_out_is_survived, setup_unlimited, teardown),
		cmocka_unit_test(shares_fit_into_what_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
