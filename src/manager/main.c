/* SPDX-License-Identifier: Apache-2.0 */
/*
 * viaductd: reads what it was asked to do, puts the parts together, runs the loop.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/str.h"
#include "manager/descriptors.h"
#include "manager/gate.h"
#include "manager/http.h"
#include "manager/listen.h"
#include "manager/live.h"
#include "manager/manager.h"
#include "manager/options.h"
#include "manager/state.h"
#include "store/store.h"

/* Everything that runs, in the order in which it is made. */
struct daemon {
	const struct options *options;
	struct descriptors shares;
	struct clock clock;
	struct loop *loop;
	struct state state;
	struct manager *manager;
	char *advertised[OPTIONS_ADDRESSES_MAX + STATE_NAMES_MAX + 1];
	struct live live;
	struct api_live api_live;
	struct api *api;
	struct gate *gate;
	struct http *http;
};

/* "fd00::1" with ":8774"; '*ret' is NULL for a DNS name, which agents do not look up. */
static int advertise(const char *name, const char *port, char **ret)
{
	struct listen_addr addr;
	char *text;
	int r = str_printf(&text, strchr(name, ':') ? "[%s]%s" : "%s%s", name, port);

	if (r)
		return r;
	if (listen_parse(text, &addr)) {
		free(text);
		text = NULL;
	}
	*ret = text;
	return 0;
}

/* What bundles tell agents: as asked, or the addresses of the certificate with the agents' port. */
static int find_advertised(struct daemon *d)
{
	const char *port = strrchr(d->options->agents, ':');
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < d->options->n_advertised && !r; i++)
		r = str_printf(&d->advertised[n++], "%s", d->options->advertised[i]);
	for (size_t i = 0; i < d->state.n_names && !d->options->n_advertised && !r; i++) {
		/* The first three are the loopback's: of use only where there are no others. */
		if (i < 3 && d->state.n_names > 3)
			continue;
		r = advertise(d->state.names[i], port ? port : ":8774", &d->advertised[n]);
		if (!r && d->advertised[n])
			n++;
	}
	if (!r && !n)
		log_warn("no address of this manager is known: hosts that are added could not "
			 "reach it (--advertise)");
	return r;
}

static int listening_socket(const char *name, const char *text, int *ret_fd)
{
	struct listen_addr addr;
	int r;

	r = listen_take(name, ret_fd);
	if (!r) {
		log_info("listening on a socket handed over", LOG_STR("name", name));
		return 0;
	}
	r = listen_parse(text, &addr);
	if (r) {
		log_err("not an address and port", LOG_STR("option", name), LOG_STR("value", text));
		return r;
	}
	r = listen_open(&addr, ret_fd);
	if (r)
		log_err("cannot listen", LOG_STR("option", name), LOG_STR("address", text),
			LOG_ERRNO(r));
	else
		log_info("listening", LOG_STR("name", name), LOG_STR("address", text));
	return r;
}

static int start_manager(struct daemon *d)
{
	_cleanup_free_ char *flow_dir = NULL;
	struct manager_config config = {
		.loop = d->loop,
		.lease_seconds = d->options->lease_seconds,
		.ca = &d->state.ca,
		.rotate_seconds = d->options->rotate_seconds,
	};
	struct state_error error;
	int r;

	if (str_printf(&flow_dir, "%s/flow-logs", d->options->state))
		return -ENOMEM;
	config.flow_dir = flow_dir;
	r = state_load(d->options->state, clock_wall_ms(&d->clock), &d->state, &error);
	if (!r)
		r = state_open_store(&d->state, d->options->store, &config.store, &error);
	if (!r)
		r = state_load_model(config.store, d->options->region, d->options->organisation,
				     d->options->ipv6_pool, &config.model, &error);
	if (!r)
		r = state_restore_admin(&d->state, config.store, config.model, &error);
	if (!r)
		r = state_derive_key(&d->state, "pair keys", config.keyring.secret);
	if (r) {
		model_free(config.model);
		store_free(config.store);
		log_err("cannot start", LOG_STR("reason", error.text));
		return r;
	}
	return manager_new(&config, &d->manager);
}

static int start_api(struct daemon *d)
{
	uint8_t page_key[STATE_KEY_SIZE];
	struct api_config config = {
		.model = d->manager->model,
		.clock = &d->clock,
		.live = &d->api_live,
		.operator_token_sha256 = d->state.token_hash,
		.page_key = page_key,
	};
	int r = find_advertised(d);

	if (!r)
		r = state_derive_key(&d->state, "pages", page_key);
	if (r)
		return r;
	d->live = (struct live){
		.manager = d->manager,
		.ca = &d->state.ca,
		.advertised = (const char *const *)d->advertised,
	};
	d->api_live = live_api(&d->live);
	return api_new(&config, &d->api);
}

static int start_listening(struct daemon *d)
{
	int fd, r;

	r = listening_socket("agents", d->options->agents, &fd);
	if (!r)
		r = gate_new(d->manager, d->state.ca.certificate, &d->state.server, fd, &d->shares,
			     &d->gate);
	if (!r)
		r = listening_socket("http", d->options->http, &fd);
	if (!r)
		r = http_new(d->manager, d->api, fd, &d->shares, &d->http);
	return r;
}

/* Commits what was accepted, and lets the answers leave. */
static void finish(struct daemon *d)
{
	if (!d->manager)
		return;
	journal_drain(d->manager->journal);
	for (int i = 0; i < LIMIT_SHUTDOWN_TURNS; i++)
		if (loop_turn(d->loop, 0))
			break;
}

static void stop(struct daemon *d)
{
	d->gate = gate_free(d->gate);
	d->http = http_free(d->http);
	d->api = api_free(d->api);
	d->manager = manager_free(d->manager);
	/* The Goodbyes leave, and the agents close; one that hangs is not waited for. */
	for (int i = 0; d->loop && i < LIMIT_SHUTDOWN_TURNS; i++)
		if (loop_turn(d->loop, 1))
			break;
	for (size_t i = 0; i < ARRAY_SIZE(d->advertised); i++)
		free(d->advertised[i]);
	state_deinit(&d->state);
	loop_free(d->loop);
}

static int run(const struct options *options)
{
	struct daemon d = {.options = options, .shares = descriptors_raise()};
	int r;

	clock_init_real(&d.clock);
	r = loop_new(&d.clock, &d.loop);
	if (!r)
		r = loop_stop_on_signals(d.loop);
	if (!r)
		r = start_manager(&d);
	if (!r)
		r = start_api(&d);
	if (!r)
		r = start_listening(&d);
	if (!r) {
		log_info("viaductd runs", LOG_STR("version", VIADUCT_VERSION),
			 LOG_STR("state", options->state),
			 LOG_U64("revision", model_revision(d.manager->model)));
		r = loop_run(d.loop);
		finish(&d);
	}
	stop(&d);
	return r ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int init(const struct options *options)
{
	struct state_error error;
	struct clock clock;
	int r;

	clock_init_real(&clock);
	r = state_init(options->state, (const char *const *)options->addresses,
		       options->n_addresses, clock_wall_ms(&clock), &error);
	if (r) {
		fprintf(stderr, "viaductd: %s\n", error.text);
		return EXIT_FAILURE;
	}
	printf("%s is initialised; the administrator's credentials are in %s/admin.json\n",
	       options->state, options->state);
	if (!options->n_addresses)
		puts("No --address was given: agents on this machine alone can reach the manager. "
		     "For others, remove "
		     "the directory and say it again with each address.");
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	char error[OPTIONS_ERROR_SIZE];
	enum log_level level;
	struct options options;
	int status = EXIT_SUCCESS;

	if (options_parse(argc, argv, &options, error)) {
		fprintf(stderr, "viaductd: %s\n", error);
		return 2;
	}
	if (!log_level_parse(options.log_level, &level))
		log_set_level(level);
	switch (options.command) {
	case OPTIONS_RUN:
		status = run(&options);
		break;
	case OPTIONS_INIT:
		status = init(&options);
		break;
	case OPTIONS_HELP:
		fputs(options_help, stdout);
		break;
	case OPTIONS_VERSION:
		puts("viaductd " VIADUCT_VERSION);
		break;
	}
	options_deinit(&options);
	return status;
}
