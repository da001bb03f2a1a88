/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The in-memory transport.  Each record is a parcel with a timer of its own; parcels that are due
 * in the next turn of the loop go through one queue, in order.
 */
#include "wire/pair.h"

#include <stdio.h>
#include <string.h>

#include "base/list.h"
#include "base/loop.h"
#include "wire/transport.h"

struct parcel {
	struct list node;
	struct timer timer;
	struct end *to;
	size_t size;
	uint8_t data[];
};

struct end {
	struct pair *pair;
	struct end *other;
	struct session *session;       /* NULL: ended */
	enum pair_direction direction; /* of what is sent here */
	struct list travelling;        /* parcels from here with a delay */
	struct list arrived;           /* parcels to here, to be read in the next turn */
	size_t queued;                 /* bytes sent from here and not yet read there */
	bool paused;
};

struct pair {
	struct loop *loop;
	struct end client, server;
	struct frame_decoder *decoder;
	struct deferred turn;
	bool opened, cut, stalled, freed;
	pair_fault_fn fault;
	void *fault_arg;
	char client_name[PKI_NAME_SIZE];
};

static struct parcel *parcel_free(struct parcel *parcel)
{
	list_remove(&parcel->node);
	timer_deinit(&parcel->timer);
	free(parcel);
	return NULL;
}

static void drop_parcels(struct list *parcels)
{
	struct parcel *parcel;

	list_for_each (parcel, parcels, node)
		parcel_free(parcel);
}

static void pair_release(struct pair *pair)
{
	if (!pair->freed || pair->client.session || pair->server.session)
		return;
	deferred_deinit(&pair->turn);
	drop_parcels(&pair->client.travelling);
	drop_parcels(&pair->client.arrived);
	drop_parcels(&pair->server.travelling);
	drop_parcels(&pair->server.arrived);
	frame_decoder_free(pair->decoder);
	free(pair);
}

static void break_connection(struct pair *pair)
{
	pair->cut = true;
	if (pair->client.session)
		session_end(pair->client.session, SESSION_END_PEER, "the connection was lost");
	if (pair->server.session)
		session_end(pair->server.session, SESSION_END_PEER, "the connection was lost");
}

static void open_end(struct end *end, const char *peer)
{
	struct pki_info info = {0};

	snprintf(info.name, sizeof(info.name), "%s", peer);
	snprintf(info.serial, sizeof(info.serial), "00");
	if (end->session)
		session_opened(end->session, &info);
}

/* Gives the session what has arrived, until it pauses or ends. */
static void read_arrived(struct end *end)
{
	struct parcel *parcel;
	size_t wanted, taken;

	while (end->session && !end->paused && !end->pair->stalled && !end->pair->cut) {
		parcel = list_first(&end->arrived, struct parcel, node);
		if (!parcel)
			return;
		list_remove(&parcel->node);
		taken = session_input(end->session, parcel->data, parcel->size, &wanted);
		if (!taken && end->paused) {
			list_push_front(&end->arrived, &parcel->node);
			return;
		}
		end->other->queued -= parcel->size;
		parcel_free(parcel);
		if (end->other->session)
			session_drained(end->other->session);
	}
}

static void take_turn(struct deferred *deferred, void *data)
{
	struct pair *pair = data;

	if (!pair->opened) {
		pair->opened = true;
		open_end(&pair->server, pair->client_name);
		open_end(&pair->client, "manager");
	}
	read_arrived(&pair->server);
	read_arrived(&pair->client);
}

static void arrive(struct timer *timer, void *data)
{
	struct parcel *parcel = data;
	struct end *to = parcel->to;

	list_remove(&parcel->node);
	list_push_back(&to->arrived, &parcel->node);
	deferred_schedule(&to->pair->turn);
}

/* Sends one record on its way. */
static int post(struct end *from, const uint8_t *data, size_t size)
{
	struct pair *pair = from->pair;
	const Viaduct__Agent__Frame *frame;
	struct parcel *parcel;
	int64_t delay = 0;

	if (pair->fault && size >= FRAME_HEADER_SIZE &&
	    !frame_decode(pair->decoder, data + FRAME_HEADER_SIZE, size - FRAME_HEADER_SIZE,
			  &frame))
		delay = pair->fault(from->direction, frame, pair->fault_arg);
	if (delay == PAIR_CUT)
		break_connection(pair);
	if (delay < 0)
		return 0;
	parcel = calloc(1, sizeof(*parcel) + size);
	if (!parcel)
		return -ENOMEM;
	parcel->to = from->other;
	parcel->size = size;
	memcpy(parcel->data, data, size);
	timer_init(&parcel->timer, pair->loop, arrive, parcel);
	from->queued += size;
	if (delay) {
		list_push_back(&from->travelling, &parcel->node);
		timer_arm_in(&parcel->timer, (uint64_t)delay);
	} else {
		list_push_back(&from->other->arrived, &parcel->node);
		deferred_schedule(&pair->turn);
	}
	return 0;
}

static int pair_write(void *transport, const uint8_t *data, size_t size)
{
	struct end *end = transport;
	size_t record;
	int r = 0;

	while (size && !r && !end->pair->cut) {
		/* What is no record travels as it is: the other end shall see it. */
		if (frame_measure(data, size, &record) || record > size)
			record = size;
		r = post(end, data, record);
		if (!r) {
			data += record;
			size -= record;
		}
	}
	return r;
}

static size_t pair_queued(const void *transport)
{
	const struct end *end = transport;

	return end->queued;
}

static void pair_pause(void *transport, bool paused)
{
	struct end *end = transport;

	end->paused = paused;
	if (!paused)
		deferred_schedule(&end->pair->turn);
}

/* The other end hears of it after what was sent before, when that was to linger. */
static void pair_shut(void *transport, bool linger)
{
	struct end *end = transport;
	struct pair *pair = end->pair;

	end->session = NULL;
	if (linger)
		read_arrived(end->other);
	if (end->other->session && !pair->stalled)
		session_end(end->other->session, SESSION_END_PEER,
			    "the peer closed the connection");
	pair_release(pair);
}

static const struct transport_ops pair_ops = {
	.write = pair_write,
	.queued = pair_queued,
	.pause = pair_pause,
	.shut = pair_shut,
};

static int end_init(struct end *end, struct pair *pair, struct end *other,
		    enum pair_direction direction, const struct session_callbacks *callbacks,
		    void *user)
{
	end->pair = pair;
	end->other = other;
	end->direction = direction;
	list_init(&end->travelling);
	list_init(&end->arrived);
	return session_new(pair->loop, &pair_ops, end, callbacks, user, &end->session);
}

int pair_new(struct loop *loop, const char *client_name,
	     const struct session_callbacks *client_callbacks, void *client_user,
	     const struct session_callbacks *server_callbacks, void *server_user, struct pair **ret)
{
	struct pair *pair = calloc(1, sizeof(*pair));
	int r;

	if (!pair)
		return -ENOMEM;
	pair->loop = loop;
	snprintf(pair->client_name, sizeof(pair->client_name), "%s", client_name);
	deferred_init(&pair->turn, loop, take_turn, pair);
	r = frame_decoder_new(&pair->decoder);
	if (!r)
		r = end_init(&pair->client, pair, &pair->server, PAIR_TO_SERVER, client_callbacks,
			     client_user);
	if (!r)
		r = end_init(&pair->server, pair, &pair->client, PAIR_TO_CLIENT, server_callbacks,
			     server_user);
	if (r) {
		if (pair->client.session)
			session_discard(pair->client.session);
		frame_decoder_free(pair->decoder);
		free(pair);
		return r;
	}
	session_set_peer_addr(pair->client.session, "pair");
	session_set_peer_addr(pair->server.session, "pair");
	deferred_schedule(&pair->turn);
	*ret = pair;
	return 0;
}

void pair_set_fault(struct pair *pair, pair_fault_fn fn, void *arg)
{
	pair->fault = fn;
	pair->fault_arg = arg;
}

void pair_stall(struct pair *pair, bool stalled)
{
	pair->stalled = stalled;
	if (!stalled)
		deferred_schedule(&pair->turn);
}

void pair_cut(struct pair *pair)
{
	break_connection(pair);
}

struct pair *pair_free(struct pair *pair)
{
	if (!pair)
		return NULL;
	pair->freed = true;
	break_connection(pair);
	pair_release(pair);
	return NULL;
}

struct session *pair_client(struct pair *pair)
{
	return pair->client.session;
}

struct session *pair_server(struct pair *pair)
{
	return pair->server.session;
}
