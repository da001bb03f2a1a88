/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API of the fixture behind HTTP on a port of the loopback, for tests with real clients:
 *	api_server
 * prints its port on a line and serves until its standard input ends.
 */
#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <stdio.h>
#include <string.h>
#include <sys/queue.h>
#include <unistd.h>

#include "fixture.h"

enum { MAX_HEADERS = 64 };

static const char *method_text(struct evhttp_request *req)
{
	switch (evhttp_request_get_command(req)) {
	case EVHTTP_REQ_GET:
		return "GET";
	case EVHTTP_REQ_POST:
		return "POST";
	case EVHTTP_REQ_PUT:
		return "PUT";
	case EVHTTP_REQ_DELETE:
		return "DELETE";
	default:
		return "OTHER";
	}
}

static void on_request(struct evhttp_request *req, void *data)
{
	struct http_header headers[MAX_HEADERS];
	struct http_request r = {.method = method_text(req), .headers = headers};
	struct evbuffer *in = evhttp_request_get_input_buffer(req), *out = evbuffer_new();
	char *target = strdup(evhttp_request_get_uri(req)), *query = strchr(target, '?');
	struct api_answer answer;
	struct evkeyval *h;

	TAILQ_FOREACH(h, evhttp_request_get_input_headers(req), next)
	if (r.n_headers < MAX_HEADERS)
		headers[r.n_headers++] = (struct http_header){h->key, h->value};
	if (query)
		*query++ = '\0';
	r.path = target;
	r.query = query;
	r.body_size = evbuffer_get_length(in);
	r.body = evbuffer_pullup(in, -1);
	fixture_handle(data, &r, &answer);
	evbuffer_add(out, buf_data(&answer.body), buf_size(&answer.body));
	evhttp_add_header(evhttp_request_get_output_headers(req), "Content-Type",
			  answer.content_type);
	evhttp_send_reply(req, answer.status, NULL, out);
	api_answer_deinit(&answer);
	evbuffer_free(out);
	free(target);
}

static void on_input(evutil_socket_t fd, short what, void *data)
{
	char text[16];

	if (read(fd, text, sizeof(text)) <= 0)
		event_base_loopbreak(data);
}

int main(void)
{
	struct event_base *base = event_base_new();
	struct evhttp *http = evhttp_new(base);
	struct evhttp_bound_socket *bound = evhttp_bind_socket_with_handle(http, "127.0.0.1", 0);
	struct event *input = event_new(base, STDIN_FILENO, EV_READ | EV_PERSIST, on_input, base);
	struct sockaddr_in addr = {};
	socklen_t size = sizeof(addr);
	struct fixture f;

	fixture_init(&f, true);
	evhttp_set_gencb(http, on_request, &f);
	if (!bound ||
	    getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&addr, &size))
		return 1;
	printf("%u\n", ntohs(addr.sin_port));
	fflush(stdout);
	event_add(input, NULL);
	event_base_dispatch(base);
	event_free(input);
	evhttp_free(http);
	event_base_free(base);
	fixture_deinit(&f);
	return 0;
}
