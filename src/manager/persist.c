/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/persist.h"

#include "base/limits.h"
#include "model/record.h"
#include "model/tx.h"

enum { PERSIST_ID_SIZE = 8 };

static void put_id(uint64_t id, uint8_t ret[static PERSIST_ID_SIZE])
{
	for (int i = 0; i < PERSIST_ID_SIZE; i++)
		ret[i] = (uint8_t)(id >> (56 - 8 * i));
}

int persist_get_id(const struct store_write *write, uint64_t *ret)
{
	uint64_t id = 0;

	if (write->id_size != PERSIST_ID_SIZE)
		return -EBADMSG;
	for (int i = 0; i < PERSIST_ID_SIZE; i++)
		id = id << 8 | write->id[i];
	*ret = id;
	return 0;
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
