/* SPDX-License-Identifier: Apache-2.0 */
/* A manager in memory with HTTP before it on the loopback, and clients that speak to it. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <netinet/in.h>

#include <cmocka.h>

#include "api/api.h"
#include "base/loop.h"
#include "manager/descriptors.h"
#include "manager/http.h"
#include "manager/live.h"
#include "manager/manager.h"
#include "store/store_memory.h"

struct http_world {
	struct clock clock;
	struct loop *loop;
	struct store_disk *disk;
	struct manager *manager;
	struct pki_pair ca;
	struct live live;
	struct api_live api_live;
	struct api *api;
	struct http *http;
	struct sockaddr_in addr;
};

/* With HTTP's share of descriptors from 'shares'. */
struct http_world *http_world_new(const struct descriptors *shares);
void http_world_free(struct http_world *f);

/* A client, connected; does not turn the loop. */
int dial(struct http_world *f);
/* Asks for something as an operator. */
void say(int fd, const char *method, const char *path, const char *body);

/* Turns the loop for up to 'ms' and returns the status that came, 0: none, -1: the connection's
 * end.  The rest is in 'reply'. */
int hear(struct http_world *f, int fd, unsigned int ms);
extern char reply[8192];
