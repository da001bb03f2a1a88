/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snapshot.h"

#include "agent/snapshot_build.h"
#include "base/file.h"
#include "base/limits.h"

static int snapshot_pack(struct buf *b, const struct snapshot *s, uint64_t cluster_id,
			 uint64_t revision)
{
	Viaduct__Agent__Welcome welcome = VIADUCT__AGENT__WELCOME__INIT;
	Viaduct__Agent__Desired desired = VIADUCT__AGENT__DESIRED__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;
	int e;

	welcome.cluster_id = cluster_id;
	welcome.revision = revision;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_WELCOME;
	frame.welcome = &welcome;
	e = frame_pack(b, &frame);
	if (e)
		return e;
	desired.revision = revision;
	desired.full = true;
	desired.n_set = s->n;
	desired.set = s->objects;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_DESIRED;
	frame.desired = &desired;
	return frame_pack(b, &frame);
}

int snapshot_write(const char *path, struct desired *d, uint64_t cluster_id, uint64_t revision)
{
	struct snapshot s = {0};
	_cleanup_buf_ struct buf b;
	int e;

	arena_init(&s.arena, LIMIT_WIRE_DECODE_SIZE);
	buf_init(&b, 2 * LIMIT_WIRE_FRAME_SIZE);
	e = snapshot_build(&s, d);
	if (!e)
		e = snapshot_pack(&b, &s, cluster_id, revision);
	if (!e)
		e = file_write_atomic(path, buf_data(&b), buf_size(&b), 0600);
	arena_deinit(&s.arena);
	return e;
}

/* ---- reading ---- */

/* Decodes the record at '*at' and moves '*at' behind it. */
static int snapshot_next(struct frame_decoder *decoder, const uint8_t **at, size_t *left,
			 const Viaduct__Agent__Frame **ret)
{
	size_t size;
	int e = frame_measure(*at, *left, &size);

	if (e || size > *left)
		return -EBADMSG;
	e = frame_decode(decoder, *at + FRAME_HEADER_SIZE, size - FRAME_HEADER_SIZE, ret);
	*at += size;
	*left -= size;
	return e;
}

int snapshot_read(const char *path, snapshot_fn fn, void *arg)
{
	_cleanup_free_ char *text = NULL;
	struct frame_decoder *decoder = NULL;
	const Viaduct__Agent__Frame *frame;
	const uint8_t *at;
	uint64_t cluster_id = 0;
	size_t left;
	int e;

	e = file_read(path, 2 * LIMIT_WIRE_FRAME_SIZE, &text, &left);
	if (e)
		return e;
	e = frame_decoder_new(&decoder);
	if (e)
		return e;
	at = (const uint8_t *)text;
	e = snapshot_next(decoder, &at, &left, &frame);
	if (!e && frame->body_case != VIADUCT__AGENT__FRAME__BODY_WELCOME)
		e = -EBADMSG;
	if (!e) {
		cluster_id = frame->welcome->cluster_id;
		e = snapshot_next(decoder, &at, &left, &frame);
	}
	if (!e && (frame->body_case != VIADUCT__AGENT__FRAME__BODY_DESIRED || left))
		e = -EBADMSG;
	if (!e)
		e = fn(cluster_id, frame->desired, arg);
	frame_decoder_free(decoder);
	return e;
}
