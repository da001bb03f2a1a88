/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading the model from the store, by two threads: the caller's reads records and makes objects of
 * them, the other one enters these into the model, which is its own until it ends.  They go over in
 * parcels through a short queue, so that an object is entered while the processors' shared cache
 * still has it.  When all are there, the caller's checks most of them, while the other one puts
 * them in order and then checks the rest.
 *
 * The model of another thread needs little memory of its own, and the objects come from the
 * caller's heap: as they would without the other thread.
 */
#include "manager/persist.h"

#include <pthread.h>

#include "model/model.h"
#include "model/record.h"

enum {
	PARCEL_SIZE = 128,
	PARCELS = 8,
	/* of an interface or instance, with its key: a little less, so that the guess is not too
	 * small */
	WRITE_SIZE = 145,
};

struct arrival {
	enum kind kind;
	uint64_t id;
	struct object *object; /* NULL: deleted */
};

struct parcel {
	size_t n;
	struct arrival arrivals[PARCEL_SIZE];
};

struct loading {
	struct model *model;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under the lock.  Parcels n_entered to n_sent, modulo PARCELS, are the other thread's. */
	size_t n_sent, n_entered;
	bool end;     /* nothing more is sent */
	bool settled; /* all that was sent is in the model */
	int failed;   /* of the other thread */
	/* Each belongs to one thread at a time. */
	struct parcel parcels[PARCELS];
};

/* ---- entering ---- */

/* Takes the objects of the parcel, also when it fails. */
static int enter_parcel(struct model *model, struct parcel *p)
{
	int r = 0;

	for (size_t i = 0; i < p->n; i++) {
		struct arrival *a = &p->arrivals[i];

		if (!r)
			r = a->object ? model_load_object(model, &a->object)
				      : model_load_deletion(model, a->kind, a->id);
		a->object = record_free(a->object);
	}
	p->n = 0;
	return r;
}

/* The next parcel; NULL: there are no more. */
static struct parcel *await_parcel(struct loading *l)
{
	struct parcel *p = NULL;

	pthread_mutex_lock(&l->lock);
	while (l->n_entered == l->n_sent && !l->end)
		pthread_cond_wait(&l->changed, &l->lock);
	if (l->n_entered < l->n_sent)
		p = &l->parcels[l->n_entered % PARCELS];
	pthread_mutex_unlock(&l->lock);
	return p;
}

static void parcel_entered(struct loading *l, int r)
{
	pthread_mutex_lock(&l->lock);
	l->n_entered++;
	if (r)
		l->failed = r;
	pthread_cond_signal(&l->changed);
	pthread_mutex_unlock(&l->lock);
}

static void *enter_all(void *data)
{
	struct loading *l = data;
	struct parcel *p;
	int r = 0, last;

	while ((p = await_parcel(l))) {
		/* after a failure what still comes is only freed */
		if (r)
			for (size_t i = 0; i < p->n; i++)
				record_free(p->arrivals[i].object);
		else
			r = enter_parcel(l->model, p);
		p->n = 0;
		parcel_entered(l, r);
	}
	if (!r)
		r = model_load_settle(l->model);
	pthread_mutex_lock(&l->lock);
	l->settled = true;
	l->failed = r;
	pthread_cond_signal(&l->changed);
	pthread_mutex_unlock(&l->lock);
	last = r ? r : model_load_order(l->model);
	if (!last)
		last = model_load_check(l->model, MODEL_LOAD_INSTANCES);
	pthread_mutex_lock(&l->lock);
	l->failed = last;
	pthread_mutex_unlock(&l->lock);
	return NULL;
}

/* ---- decoding ---- */

/* The parcel to be filled. */
static struct parcel *open_parcel(struct loading *l)
{
	return &l->parcels[l->n_sent % PARCELS];
}

/* Sends the open parcel and waits for room for the next one. */
static int send_parcel(struct loading *l)
{
	int r;

	pthread_mutex_lock(&l->lock);
	l->n_sent++;
	pthread_cond_signal(&l->changed);
	while (l->n_sent - l->n_entered == PARCELS)
		pthread_cond_wait(&l->changed, &l->lock);
	r = l->failed;
	pthread_mutex_unlock(&l->lock);
	return r;
}

static int load_write(const struct store_write *write, void *data)
{
	struct loading *l = data;
	struct parcel *p = open_parcel(l);
	struct arrival a = {.kind = (enum kind)write->kind};
	int r = persist_get_id(write, &a.id);

	if (!r && write->value_size)
		r = model_load_decode(a.kind, a.id, write->value, write->value_size, &a.object);
	if (r)
		return r;
	p->arrivals[p->n++] = a;
	return p->n == PARCEL_SIZE ? send_parcel(l) : 0;
}

/* Waits until all is entered, checked and in order; 'r': whether all was sent. */
static int finish(struct loading *l, pthread_t thread, int r)
{
	int failed;

	(void)send_parcel(l); /* what failed is told below */
	pthread_mutex_lock(&l->lock);
	l->end = true;
	pthread_cond_signal(&l->changed);
	while (!l->settled)
		pthread_cond_wait(&l->changed, &l->lock);
	failed = l->failed;
	pthread_mutex_unlock(&l->lock);
	if (!r)
		r = failed ? failed : model_load_check(l->model, MODEL_LOAD_OTHERS);
	pthread_join(thread, NULL);
	return r ? r : l->failed;
}

static struct loading *loading_free(struct loading *l)
{
	pthread_cond_destroy(&l->changed);
	pthread_mutex_destroy(&l->lock);
	free(l);
	return NULL;
}
CLEANUP_DEFINE(struct loading *, loading_free);

int persist_load(struct store *store, struct model *model)
{
	const struct store_info *info = store_info_get(store);
	_cleanup_(loading_free_cleanup) struct loading *l = calloc(1, sizeof(*l));
	pthread_t thread;
	int r;

	if (!l)
		return -ENOMEM;
	l->model = model;
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->changed, NULL);
	/* A guess is enough: it spares the tables growing under way. */
	model_load_begin(model, (info->log_size + info->snapshot_size) / WRITE_SIZE);
	r = pthread_create(&thread, NULL, enter_all, l);
	if (r)
		return -r;
	r = finish(l, thread, store_load(store, load_write, l));
	if (!r)
		model_load_finish(model, info->revision);
	return r;
}
