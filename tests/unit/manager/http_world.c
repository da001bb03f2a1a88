/* SPDX-License-Identifier: Apache-2.0 */
#include "http_world.h"

#include <fcntl.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "manager/listen.h"
#include "manager/persist.h"

static const char *const advertised[] = {"[fd00::1]:8774", NULL};

static void fill(void *data, void *ret, size_t size)
{
	static uint8_t next;

	for (size_t i = 0; i < size; i++)
		((uint8_t *)ret)[i] = next++;
}

static void start_manager(struct http_world *f)
{
	struct manager_config config = {.loop = f->loop, .lease_seconds = 300};
	struct model_config model = {.region = "us-east-1", .ids.fill = fill};

	assert_int_equal(prefix_parse("fd56:6961::/32", &model.organisation), 0);
	assert_int_equal(store_disk_new(&f->disk), 0);
	assert_int_equal(store_memory_open(f->disk, &config.store), 0);
	assert_int_equal(model_new(&model, &config.model), 0);
	assert_int_equal(persist_load(config.store, config.model), 0);
	assert_int_equal(manager_new(&config, &f->manager), 0);
}

struct http_world *http_world_new(const struct descriptors *shares)
{
	struct http_world *f = calloc(1, sizeof(*f));
	struct pki_validity validity;
	uint8_t token[SHA256_DIGEST_LENGTH];
	struct api_config config;
	struct listen_addr addr;
	socklen_t size = sizeof(f->addr);
	int fd;

	clock_init_real(&f->clock);
	validity = (struct pki_validity){clock_wall_ms(&f->clock), 1};
	assert_int_equal(loop_new(&f->clock, &f->loop), 0);
	start_manager(f);
	assert_int_equal(pki_make_ca("test", validity, &f->ca), 0);
	f->live = (struct live){f->manager, &f->ca, advertised};
	f->api_live = live_api(&f->live);
	SHA256((const uint8_t *)"secret", 6, token);
	config = (struct api_config){.model = f->manager->model,
				     .clock = &f->clock,
				     .live = &f->api_live,
				     .operator_token_sha256 = token};
	assert_int_equal(api_new(&config, &f->api), 0);
	assert_int_equal(listen_parse("127.0.0.1:1", &addr), 0);
	((struct sockaddr_in *)&addr.addr)->sin_port = 0;
	assert_int_equal(listen_open(&addr, &fd), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&f->addr, &size), 0);
	assert_int_equal(http_new(f->manager, f->api, fd, shares, &f->http), 0);
	return f;
}

void http_world_free(struct http_world *f)
{
	store_disk_hang(f->disk, false);
	journal_drain(f->manager->journal);
	http_free(f->http);
	api_free(f->api);
	manager_free(f->manager);
	pki_pair_deinit(&f->ca);
	loop_free(f->loop);
	store_disk_free(f->disk);
	free(f);
}

int dial(struct http_world *f)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&f->addr, sizeof(f->addr)), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

void say(int fd, const char *method, const char *path, const char *body)
{
	char text[1024];
	int n = snprintf(text, sizeof(text),
			 "%s %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer secret\r\n"
			 "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
			 method, path, strlen(body), body);

	assert_int_equal(write(fd, text, (size_t)n), n);
}

char reply[8192];

int hear(struct http_world *f, int fd, unsigned int ms)
{
	uint64_t until = clock_mono_ns(&f->clock) + ms * CLOCK_NS_PER_MS;
	ssize_t n = -1;
	int status = 0;

	reply[0] = '\0';
	while (n <= 0 && clock_mono_ns(&f->clock) < until) {
		assert_int_equal(loop_turn(f->loop, 5), 0);
		n = read(fd, reply, sizeof(reply) - 1);
		if (!n)
			return -1;
	}
	if (n > 0) {
		reply[n] = '\0';
		sscanf(reply, "HTTP/1.1 %d", &status);
	}
	return status;
}
