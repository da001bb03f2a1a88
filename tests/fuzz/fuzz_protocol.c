/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A manager with one registered host, whose agent says whatever the input says: the bytes go into
 * its session as they are, behind a Hello that fits unless the first byte is odd.  The manager must
 * survive it, and must still answer a decent agent afterwards.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "manager/manager.h"
#include "model/tx.h"
#include "store/store_memory.h"
#include "wire/pair.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct agent_end {
	struct session *session;
	bool welcome;
};

static void must(int r)
{
	if (r)
		abort();
}

static void opened(struct session *session, void *user)
{
	((struct agent_end *)user)->session = session;
}

static void received(struct session *session, const Viaduct__Agent__Frame *frame, void *user)
{
	if (frame->body_case == VIADUCT__AGENT__FRAME__BODY_WELCOME)
		((struct agent_end *)user)->welcome = true;
}

static void closed(struct session *session, enum session_end end, const char *text, void *user)
{
	((struct agent_end *)user)->session = NULL;
}

static const struct session_callbacks callbacks = {
	.opened = opened, .received = received, .closed = closed};

static void fill(void *data, void *ret, size_t size)
{
	memset(ret, 0x5a, size);
}

static struct manager *make_manager(struct loop *loop, struct store_disk *disk,
				    char ret_host[static ID_TEXT_SIZE])
{
	static const struct caller the_operator = {.is_operator = true};
	struct manager_config config = {.loop = loop, .lease_seconds = 300};
	struct model_config model = {.region = "us-east-1", .ids.fill = fill};
	struct refusal refusal;
	struct manager *manager;
	struct change *change;
	const struct host *host;
	struct tx *tx;

	must(prefix_parse("fd56:6961::/32", &model.organisation));
	must(store_memory_open(disk, &config.store));
	must(model_new(&model, &config.model));
	must(manager_new(&config, &manager));
	must(tx_begin(manager->model, 1, &tx));
	must(host_add(tx, &the_operator, &(struct host_add_args){.name = "h", .v6 = "fd00::1"},
		      &host, &refusal));
	object_id_text(&host->o, ret_host);
	must(tx_end(tx, &change));
	must(journal_submit(manager->journal, change));
	return manager;
}

static void settle(struct manager *manager)
{
	must(loop_settle(manager->loop));
	while (journal_is_pending(manager->journal)) {
		must(loop_turn(manager->loop, 1));
		must(loop_settle(manager->loop));
	}
}

static struct pair *connect_agent(struct manager *manager, const char *host, struct agent_end *end)
{
	void *user = sessions_new_user(manager);
	struct pair *pair;

	*end = (struct agent_end){0};
	if (!user)
		abort();
	must(pair_new(manager->loop, host, &callbacks, end, &sessions_callbacks, user, &pair));
	settle(manager);
	return pair;
}

static void say_hello(struct session *session, const char *host)
{
	Viaduct__Agent__Hello hello = VIADUCT__AGENT__HELLO__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;

	hello.protocol_min = 1;
	hello.protocol_max = 1;
	hello.host_id = (char *)host;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_HELLO;
	frame.hello = &hello;
	must(session_send(session, &frame));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char host[ID_TEXT_SIZE];
	struct manager *manager;
	struct store_disk *disk;
	struct agent_end end;
	struct clock clock;
	struct loop *loop;
	struct pair *pair;

	if (!size)
		return 0;
	log_set_level(LOG_LEVEL_ERR);
	clock_init_manual(&clock, CLOCK_NS_PER_S, 1764000000000);
	must(loop_new(&clock, &loop));
	must(store_disk_new(&disk));
	manager = make_manager(loop, disk, host);
	settle(manager);

	pair = connect_agent(manager, host, &end);
	if (!(data[0] & 1))
		say_hello(end.session, host);
	settle(manager);
	if (end.session && session_send_bytes(end.session, data + 1, size - 1))
		abort();
	settle(manager);
	must(loop_advance(loop, 3 * CLOCK_NS_PER_S));
	settle(manager);
	pair_free(pair);
	settle(manager);

	pair = connect_agent(manager, host, &end);
	say_hello(end.session, host);
	settle(manager);
	if (!end.welcome)
		abort();
	pair_free(pair);
	settle(manager);
	manager_free(manager);
	loop_free(loop);
	store_disk_free(disk);
	return 0;
}
