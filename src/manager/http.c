/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/keyvalq_struct.h>

#include "api/api.h"
#include "base/limits.h"
#include "manager/crowd.h"
#include "manager/descriptors.h"
#include "manager/handover.h"
#include "manager/manager.h"

struct http {
	struct manager *manager;
	struct api *api;
	struct evhttp *server;
	struct crowd *crowd;
	struct list exchanges;
	size_t n_exchanges;
};

/* A request and its answer, until it has left. */
struct exchange {
	struct list node;
	struct http *http;
	struct evhttp_request *request; /* NULL: the client has gone */
	struct api_answer answer;
	bool wrote;
	bool again; /* answered anew already, after a commit failed */
	struct journal_wait wait;

	struct handover handover; /* what the call took from nodes */
	struct timer handover_timer;
	uint64_t handover_deadline_ns;
};

static const uint64_t handover_poll_ns = 2 * CLOCK_NS_PER_MS;

static void execute(struct exchange *exchange);

static void exchange_free(struct exchange *exchange)
{
	struct evhttp_connection *connection;

	if (exchange->request) {
		connection = evhttp_request_get_connection(exchange->request);
		if (connection)
			evhttp_connection_set_closecb(connection, NULL, NULL);
	}
	journal_wait_cancel(&exchange->wait);
	timer_deinit(&exchange->handover_timer);
	api_answer_deinit(&exchange->answer);
	handover_deinit(&exchange->handover);
	list_remove(&exchange->node);
	exchange->http->n_exchanges--;
	free(exchange);
}

/* What it wrote goes its way; the answer has nobody to go to. */
static void client_gone(struct evhttp_connection *connection, void *data)
{
	struct exchange *exchange = data;

	exchange->request = NULL;
	exchange_free(exchange);
}

static void send_answer(struct exchange *exchange)
{
	struct evhttp_request *request = exchange->request;
	struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
	struct evbuffer *body = evbuffer_new();
	const struct api_answer *answer = &exchange->answer;
	int status = answer->status;

	if (!body || evbuffer_add(body, buf_data(&answer->body), buf_size(&answer->body)))
		status = 500;
	if (answer->content_type)
		evhttp_add_header(headers, "Content-Type", answer->content_type);
	evhttp_add_header(headers, "x-amzn-RequestId", answer->request_id);
	/* What an account sees is nobody else's to keep. */
	evhttp_add_header(headers, "Cache-Control", "no-store");
	exchange_free(exchange);
	evhttp_send_reply(request, status, NULL, body);
	if (body)
		evbuffer_free(body);
}

static void check_handover(struct timer *timer, void *data)
{
	struct exchange *exchange = data;
	struct manager *manager = exchange->http->manager;

	if (handover_is_done(&exchange->handover, manager->model) ||
	    clock_mono_ns(manager->clock) >= exchange->handover_deadline_ns)
		send_answer(exchange);
	else
		timer_arm_in(timer, handover_poll_ns);
}

static void await_handover(struct exchange *exchange)
{
	exchange->handover_deadline_ns = clock_mono_ns(exchange->http->manager->clock) +
					 LIMIT_RELEASE_WAIT_MS * CLOCK_NS_PER_MS;
	check_handover(&exchange->handover_timer, exchange);
}

static const char *why_not(struct exchange *exchange, int error, char *buf, size_t size)
{
	const char *text = "";

	if (error == -EBUSY)
		return "the store does not keep up: try again later";
	if (error == -EMSGSIZE)
		return "the request changes too much at once";
	if (!journal_error(exchange->http->manager->journal, &text) || !*text)
		text = strerror(-error);
	snprintf(buf, size, "the store does not work: %s", text);
	return buf;
}

static void refuse_answer(struct exchange *exchange, int error)
{
	char text[512];

	api_answer_refuse(&exchange->answer, why_not(exchange, error, text, sizeof(text)));
	send_answer(exchange);
}

static void settled(int result, void *data)
{
	struct exchange *exchange = data;

	if (!result && exchange->handover.n) {
		await_handover(exchange);
	} else if (!result) {
		send_answer(exchange);
	} else if (exchange->wrote || exchange->again) {
		refuse_answer(exchange, result);
	} else {
		/* It only saw what has not happened. */
		exchange->again = true;
		api_answer_deinit(&exchange->answer);
		execute(exchange);
	}
}

/* Fills what the API wants to know; everything is borrowed from the request. */
static void describe(struct evhttp_request *request, struct http_header *headers, char *path,
		     size_t path_size, struct http_request *ret)
{
	const char *uri = evhttp_request_get_uri(request);
	const char *scheme = strstr(uri, "://");
	struct evbuffer *body = evhttp_request_get_input_buffer(request);
	struct evkeyval *header;
	size_t length, n = 0;

	/* A proxy's form, "http://host/path": only the path is of interest. */
	if (*uri != '/' && scheme)
		uri = strchr(scheme + 3, '/') ? strchr(scheme + 3, '/') : "/";
	length = strcspn(uri, "?#");
	snprintf(path, path_size, "%.*s", (int)length, length ? uri : "/");
	TAILQ_FOREACH(header, evhttp_request_get_input_headers(request), next)
	{
		if (n == LIMIT_HTTP_HEADERS)
			break;
		headers[n++] = (struct http_header){header->key, header->value};
	}
	*ret = (struct http_request){
		.path = path,
		.query = uri[length] == '?' ? uri + length + 1 : NULL,
		.headers = headers,
		.n_headers = n,
		.body_size = evbuffer_get_length(body),
		.body = evbuffer_pullup(body, -1),
	};
	switch (evhttp_request_get_command(request)) {
	case EVHTTP_REQ_GET:
		ret->method = "GET";
		break;
	case EVHTTP_REQ_POST:
		ret->method = "POST";
		break;
	case EVHTTP_REQ_PUT:
		ret->method = "PUT";
		break;
	case EVHTTP_REQ_DELETE:
		ret->method = "DELETE";
		break;
	case EVHTTP_REQ_HEAD:
		ret->method = "HEAD";
		break;
	default:
		ret->method = "OPTIONS";
	}
}

static void execute(struct exchange *exchange)
{
	struct http *http = exchange->http;
	struct http_header headers[LIMIT_HTTP_HEADERS];
	size_t path_size = strlen(evhttp_request_get_uri(exchange->request)) + 2;
	_cleanup_free_ char *path = malloc(path_size);
	struct http_request request;
	struct change *change;
	int r = 0;

	if (!path) {
		exchange->answer.status = 500;
		send_answer(exchange);
		return;
	}
	describe(exchange->request, headers, path, path_size, &request);
	api_handle(http->api, &request, &exchange->answer);
	change = TAKE_PTR(exchange->answer.change);
	exchange->wrote = change != NULL;
	if (change) {
		handover_note(&exchange->handover, change);
		r = journal_submit(http->manager->journal, change);
	}
	if (r)
		refuse_answer(exchange, r);
	else if (!journal_wait(http->manager->journal, &exchange->wait, settled, exchange))
		settled(0, exchange);
}

static void on_request(struct evhttp_request *request, void *data)
{
	struct http *http = data;
	struct exchange *exchange = NULL;

	if (http->n_exchanges < LIMIT_HTTP_WAITING)
		exchange = calloc(1, sizeof(*exchange));
	if (!exchange) {
		evhttp_send_error(request, 503, "too many requests wait");
		return;
	}
	exchange->http = http;
	exchange->request = request;
	timer_init(&exchange->handover_timer, http->manager->loop, check_handover, exchange);
	list_push_back(&http->exchanges, &exchange->node);
	http->n_exchanges++;
	evhttp_connection_set_closecb(evhttp_request_get_connection(request), client_gone,
				      exchange);
	execute(exchange);
}

int http_new(struct manager *manager, struct api *api, int fd, const struct descriptors *shares,
	     struct http **ret)
{
	_cleanup_close_ int socket = fd;
	_cleanup_(http_free_cleanup) struct http *http = calloc(1, sizeof(*http));
	struct evhttp_bound_socket *listener;
	int r;

	if (!http)
		return -ENOMEM;
	http->manager = manager;
	http->api = api;
	list_init(&http->exchanges);
	http->server = evhttp_new(loop_event_base(manager->loop));
	if (!http->server)
		return -ENOMEM;
	evhttp_set_max_headers_size(http->server, LIMIT_HTTP_HEADERS_SIZE);
	evhttp_set_max_body_size(http->server, LIMIT_HTTP_BODY_SIZE);
	evhttp_set_timeout(http->server, LIMIT_HTTP_TIMEOUT_S);
	evhttp_set_allowed_methods(http->server, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_PUT |
							 EVHTTP_REQ_DELETE | EVHTTP_REQ_HEAD |
							 EVHTTP_REQ_OPTIONS);
	evhttp_set_gencb(http->server, on_request, http);
	listener = evhttp_accept_socket_with_handle(http->server, socket);
	if (!listener)
		return -EINVAL;
	TAKE_FD(socket);
	r = crowd_new(manager->loop, http->server, listener, shares->http_end, &http->crowd);
	if (r)
		return r;
	*ret = TAKE_PTR(http);
	return 0;
}

struct http *http_free(struct http *http)
{
	struct exchange *exchange;

	if (!http)
		return NULL;
	list_for_each (exchange, &http->exchanges, node)
		exchange_free(exchange);
	crowd_free(http->crowd);
	if (http->server)
		evhttp_free(http->server);
	free(http);
	return NULL;
}
