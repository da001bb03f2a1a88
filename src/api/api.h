/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API: EC2's Query protocol (and as much of STS as clients need) at "/", the operators' JSON
 * under "/v1/".  docs/ec2-api.md and docs/openapi.yaml say what it offers.
 *
 * Use.  For each request the manager calls api_handle().  The answer is complete when the call
 * returns, but it must not leave before everything that it saw or wrote is durable:
 *  - answer->change holds what was written (NULL: nothing); the manager takes it, plans and commits
 *    it.
 *  - any other answer, also a refusal, waits for the commit of model_revision() as it was at the
 *    call.
 * When that commit fails, api_answer_refuse() turns the answer into the 503 of its protocol.
 * While the store is broken, requests that write are worth trying: that is how it is noticed that
 * it works again.
 *
 * What the model does not know (sessions, counters, certificates) comes through struct api_live.
 *
 * Threading: one thread, the one that owns the model.  Errors: none; whatever happens becomes an
 * answer.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/http.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "model/model.h"
#include "model/tx.h"
#include "model/usage.h"

struct api;
struct host;

/* What a session knows of its host. */
struct api_host_live {
	enum { API_HOST_NEVER, API_HOST_DISCONNECTED, API_HOST_CONNECTED } state;
	uint64_t revision;  /* the last one applied; 0: none or unknown */
	bool lacks_nothing; /* it has applied all that concerns it, whatever the revision */
	/* unix time of its last report of what it can do; 0: never since start */
	uint64_t reported_ms;
	uint64_t seen_ms;     /* unix time of the last word from it; 0: never since start */
	const char *software; /* NULL: unknown */
	const char *address;  /* NULL: unknown */
	/* its questions where addresses are, since the manager was started */
	uint64_t told, refused;
	/* an alarm: what its agent's upgrade lost (abi/agent.proto); NULL: nothing */
	const char *lost_tables;
};

struct api_status_live {
	uint64_t cluster_id;
	uint64_t durable_revision;
	const char *store_kind;  /* "sqlite" */
	const char *store_error; /* NULL: the store works */
};

/* Packets dropped by one host for one reason, since its programs were loaded. */
struct api_drop {
	uint32_t host;            /* number */
	const char *interface_id; /* "eni-..."; NULL: of the substrate side, no interface known */
	uint32_t reason;          /* abi/drop_reasons.def */
	uint64_t packets;
};

/* What the nodes of one host have sent and got by a format, since its programs were loaded. */
struct api_traffic {
	uint32_t host;   /* number */
	uint32_t format; /* abi/format.h; may be of a newer agent: FORMAT_MAX and more */
	uint64_t sent_packets, sent_bytes;
	uint64_t received_packets, received_bytes;
};

/* What one host reported about its packets to another, since its worker was started. */
struct api_pair_live {
	uint64_t sealed_packets, sealed_bytes; /* sent, on the wire */
	uint64_t opened_packets, opened_bytes; /* received from it */
	uint64_t saved_bytes;                  /* by compression, of what it sent */
	uint64_t held_back;                    /* packets that the rate refused */
};

/* A host's certificate and key in PEM; freed by the caller of issue(). */
struct api_bundle {
	char *ca;
	char *certificate;
	char *key;
	uint64_t cluster_id;
};

/* What the manager implements; every member is needed. */
struct api_live {
	void *data;
	void (*status)(void *data, struct api_status_live *ret);
	void (*host)(void *data, uint32_t number, struct api_host_live *ret);
	/* Calls 'fn' for every counter that is not 0, grouped by host and interface. */
	void (*drops)(void *data, void (*fn)(void *user, const struct api_drop *d), void *user);
	/* Calls 'fn' for each format that nodes of a host sent or got something by, grouped by
	 * host. */
	void (*traffic)(void *data, void (*fn)(void *user, const struct api_traffic *t),
			void *user);
	/* What 'from' reported about 'to'; false: nothing yet. */
	bool (*pair)(void *data, uint32_t from, uint32_t to, struct api_pair_live *ret);
	/* Calls 'fn' for every host 'to' that 'from' reported about. */
	void (*pairs)(void *data, uint32_t from,
		      void (*fn)(void *user, uint32_t to, const struct api_pair_live *l),
		      void *user);
	/* What is known now of an interface's usage; false: nothing. */
	bool (*usage)(void *data, uint64_t interface, struct usage *ret);
	/* Asks a host to report what it can do.  0, or -ENOTCONN. */
	int (*probe)(void *data, uint32_t number);
	/* Addresses agents should connect to ("[2001:db8::1]:8774"), NULL-terminated, borrowed. */
	const char *const *(*managers)(void *data);
	/* Makes a certificate whose CN is 'host_id'.  0 or a negative errno. */
	int (*issue)(void *data, const char *host_id, struct api_bundle *ret);
	/* Appends whole lines of a flow log's records to 'b', from 'place' on, or from the oldest
	 * there are, at most 'most' bytes; '*ret_next' is the place behind them.  0 or a negative
	 * errno. */
	int (*flow_records)(void *data, uint64_t flow_log, uint64_t place, size_t most,
			    struct buf *b, uint64_t *ret_next);
};

struct api_config {
	struct model *model; /* borrowed, as are the next two */
	const struct clock *clock;
	const struct api_live *live;
	const uint8_t *operator_token_sha256; /* 32 bytes, copied: of the operators' bearer token */
	/* 32 bytes, copied: under which pages go on; the same after a restart.  NULL: one of this
	 * process */
	const uint8_t *page_key;
};

enum api_protocol { API_EC2, API_STS, API_JSON };

struct api_answer {
	int status;               /* of HTTP */
	const char *content_type; /* static */
	struct buf body;
	struct change *change; /* what was written, or NULL */
	enum api_protocol protocol;
	char request_id[37];
};

must_check int api_new(const struct api_config *config, struct api **ret);
struct api *api_free(struct api *a);
CLEANUP_DEFINE(struct api *, api_free);

/* '*ret' is initialised by the call and deinitialised by the caller. */
void api_handle(struct api *a, const struct http_request *r, struct api_answer *ret);

/* The commit failed: nothing was done.  'why' is for people ("no space left on the store's disk").
 * answer->change must have been taken and undone. */
void api_answer_refuse(struct api_answer *answer, const char *why);
/* Frees the body; the change must have been taken. */
void api_answer_deinit(struct api_answer *answer);
