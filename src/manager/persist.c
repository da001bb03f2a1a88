/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/persist.h"

#include "base/limits.h"
#include "model/model.h"
#include "model/record.h"
#include "model/tx.h"

enum {
	PERSIST_ID_SIZE = 8,
	PERSIST_WRITE_SIZE = 250, /* of an interface or instance, about */
};

static void put_id(uint64_t id, uint8_t ret[static PERSIST_ID_SIZE])
{
	for (int i = 0; i < PERSIST_ID_SIZE; i++)
		ret[i] = (uint8_t)(id >> (56 - 8 * i));
}

int persist_change(const struct change *change, struct store_batch *batch)
{
	uint64_t revision = change_revision(change);
	uint8_t id[PERSIST_ID_SIZE];
	_cleanup_buf_ struct buf record;
	struct write write;

	buf_init(&record, LIMIT_STORE_BATCH_SIZE);
	for (size_t i = 0; i < change_count(change); i++) {
		write = change_get(change, i);
		put_id(write.id, id);
		if (!write.after) {
			store_batch_delete(batch, revision, (uint8_t)write.kind, id, sizeof(id));
			continue;
		}
		buf_reset(&record);
		record_encode(write.after, &record);
		if (buf_error(&record))
			return buf_error(&record);
		store_batch_put(batch, revision, (uint8_t)write.kind, id, sizeof(id),
				buf_data(&record), buf_size(&record));
	}
	return store_batch_error(batch);
}

static int load_write(const struct store_write *write, void *data)
{
	uint64_t id = 0;

	if (write->id_size != PERSIST_ID_SIZE || write->kind >= KIND_MAX)
		return -EBADMSG;
	for (int i = 0; i < PERSIST_ID_SIZE; i++)
		id = id << 8 | write->id[i];
	return model_load(data, (enum kind)write->kind, id, write->value, write->value_size);
}

int persist_load(struct store *store, struct model *model)
{
	const struct store_info *info = store_info_get(store);
	int r;

	/* A guess is enough: it spares the tables growing under way. */
	model_load_begin(model, (info->log_size + info->snapshot_size) / PERSIST_WRITE_SIZE);
	r = store_load(store, load_write, model);
	return r ? r : model_load_end(model, store_info_get(store)->revision);
}
