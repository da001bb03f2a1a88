/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/lab_wait.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/str.h"
#include "ctl/complain.h"
#include "ctl/lab_daemon.h"

#define POLL_MS 50

enum { ALL_NODES = UINT32_MAX };

struct waiting {
	const struct lab *lab;
	struct client *client;
	uint32_t node; /* or ALL_NODES: whose daemons must not end meanwhile */
	/* What was missing when the condition did not hold; "": it is not known. */
	struct client_error missing;
};

/* 1 when it holds, 0 when not yet, or a negative errno. */
typedef int (*condition_fn)(struct waiting *w);

static volatile sig_atomic_t signalled;

static void note_signal(int signal)
{
	signalled = signal;
}

void lab_wait_defer_signals(void)
{
	const struct sigaction note = {.sa_handler = note_signal};

	sigaction(SIGINT, &note, NULL);
	sigaction(SIGTERM, &note, NULL);
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Looks whether the daemons that were started still run. */
static int check_daemons(const struct waiting *w)
{
	const struct lab *l = w->lab;
	char name[LAB_NODE_NAME_SIZE];

	for (uint32_t node = 0; node <= lab_last_node(l); node++) {
		if (w->node != ALL_NODES && w->node != node)
			continue;
		if (!l->processes[node].pid || lab_daemon_is_running(l, node))
			continue;
		lab_daemon_show_log(l, node);
		return complain(-ECHILD, "the daemon of %s ended by itself (its log is above)",
				lab_node_name(l, node, name));
	}
	return 0;
}

static int give_up(const struct waiting *w, const char *what)
{
	for (uint32_t node = 0; node <= lab_last_node(w->lab); node++)
		lab_daemon_show_log(w->lab, node);
	return complain(-ETIMEDOUT, "waited %d s in vain for %s%s%s", LIMIT_LAB_START_MS / 1000,
			what, *w->missing.text ? ": " : "", w->missing.text);
}

/* A manager that is starting refuses, and one that is busy answers late. */
static bool may_pass(int r)
{
	return r == -ECONNREFUSED || r == -ETIMEDOUT || r == -EPROTO || r == -EREMOTEIO;
}

static int wait_until(struct waiting *w, const char *what, condition_fn holds)
{
	uint64_t end = now_ms() + LIMIT_LAB_START_MS;
	int r;

	for (;;) {
		r = holds(w);
		if (r == 1)
			return 0;
		if (r < 0 && !may_pass(r))
			return complain(r, "%s", w->missing.text);
		if (signalled)
			return complain(-EINTR, "interrupted");
		r = check_daemons(w);
		if (r)
			return r;
		if (now_ms() > end)
			return give_up(w, what);
		poll(NULL, 0, POLL_MS);
	}
}

static int manager_answers(struct waiting *w)
{
	int r = client_request(w->client, "GET", "/v1/status", NULL, NULL, &w->missing);

	return r ? r : 1;
}

int lab_wait_manager(const struct lab *l, struct client *c)
{
	struct waiting w = {.lab = l, .client = c};

	return wait_until(&w, "the manager's API", manager_answers);
}

static int agent_answers(struct waiting *w)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	char name[LAB_NODE_NAME_SIZE];

	if (fd < 0)
		return -errno;
	if (str_format(a.sun_path, sizeof(a.sun_path), "%s/run/%s-%s.sock", w->lab->directory,
		       w->lab->name, lab_node_name(w->lab, w->node, name)))
		return -ENAMETOOLONG;
	return !connect(fd, (struct sockaddr *)&a, sizeof(a));
}

int lab_wait_agent(const struct lab *l, struct client *c, uint32_t node)
{
	struct waiting w = {.lab = l, .client = c, .node = node};

	return wait_until(&w, "the daemon to answer", agent_answers);
}

/* A host cannot carry anything: its log says more than the manager was told. */
static int blame(struct waiting *w, const char *host, const char *error)
{
	char name[LAB_NODE_NAME_SIZE];

	for (uint32_t node = 1; node <= lab_last_node(w->lab); node++)
		if (str_equal(host, lab_node_name(w->lab, node, name)))
			lab_daemon_show_log(w->lab, node);
	snprintf(w->missing.text, sizeof(w->missing.text),
		 "%s carries no traffic: %s (its log is above)", host, error);
	return -ENOTSUP;
}

static const char *host_text(const json_t *host, const char *key)
{
	return json_string_value(json_object_get(host, key)) ?: "";
}

/* As a condition, of one host as the API shows it. */
static int host_works(struct waiting *w, const json_t *host)
{
	const json_t *can = json_object_get(host, "capabilities");
	const char *name = host_text(host, "name"), *text = NULL;

	if (json_is_true(json_object_get(can, "carries_nothing")))
		return blame(w, name, host_text(can, "error"));
	if (!str_equal(host_text(host, "state"), "connected"))
		text = "is not connected";
	else if (!*host_text(can, "probed_at"))
		text = "has not said what it can do";
	else if (!json_is_true(json_object_get(host, "applied")))
		text = "has not confirmed what it was told";
	if (text)
		snprintf(w->missing.text, sizeof(w->missing.text), "%s %s", name, text);
	return !text;
}

static int hosts_work(struct waiting *w)
{
	_cleanup_json_ json_t *list = NULL;
	const json_t *host;
	size_t i;
	int r = client_list(w->client, "/v1/hosts", "hosts", &list, &w->missing);

	if (r)
		return r;
	r = 1;
	json_array_foreach (json_object_get(list, "hosts"), i, host) {
		int one = host_works(w, host);

		if (one < 0)
			return one;
		r = r && one;
	}
	return r;
}

/* Hosts that report, but nothing that counts. */
static int note_faults(struct client *c)
{
	_cleanup_json_ json_t *list = NULL;
	struct client_error error;
	const json_t *host;
	size_t i;
	int r = client_list(c, "/v1/hosts", "hosts", &list, &error);

	if (r)
		return complain(r, "%s", error.text);
	json_array_foreach (json_object_get(list, "hosts"), i, host) {
		const char *fault = host_text(json_object_get(host, "capabilities"), "fault");

		if (*fault)
			complain_note("%s carries no traffic: %s", host_text(host, "name"), fault);
	}
	return 0;
}

int lab_wait_hosts(const struct lab *l, struct client *c)
{
	struct waiting w = {.lab = l, .client = c, .node = ALL_NODES};
	int r = wait_until(&w, "all hosts to work", hosts_work);

	return r ? r : note_faults(c);
}
