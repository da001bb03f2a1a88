/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "agent/snapshot_build.h"
#include "base/file.h"
#include "base/limits.h"

static int snapshot_pack_desired(struct buf *b, const Viaduct__Agent__Desired *desired)
{
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;

	frame.body_case = VIADUCT__AGENT__FRAME__BODY_DESIRED;
	frame.desired = (Viaduct__Agent__Desired *)desired;
	return frame_pack(b, &frame);
}

/* What the file begins with: whose state it is, and all of it. */
static int snapshot_pack(struct buf *b, const Viaduct__Agent__Desired *full, uint64_t cluster_id)
{
	Viaduct__Agent__Welcome welcome = VIADUCT__AGENT__WELCOME__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;
	int e;

	welcome.cluster_id = cluster_id;
	welcome.revision = full->revision;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_WELCOME;
	frame.welcome = &welcome;
	e = frame_pack(b, &frame);
	return e ? e : snapshot_pack_desired(b, full);
}

int snapshot_write(const char *path, struct desired *d, uint64_t cluster_id, uint64_t revision)
{
	Viaduct__Agent__Desired full = VIADUCT__AGENT__DESIRED__INIT;
	struct snapshot s = {0};
	_cleanup_buf_ struct buf b;
	int e;

	arena_init(&s.arena, LIMIT_WIRE_DECODE_SIZE);
	buf_init(&b, 2 * LIMIT_WIRE_FRAME_SIZE);
	e = snapshot_build(&s, d);
	full.revision = revision;
	full.full = true;
	full.n_set = s.n;
	full.set = s.objects;
	if (!e)
		e = snapshot_pack(&b, &full, cluster_id);
	if (!e)
		e = file_write_atomic(path, buf_data(&b), buf_size(&b), 0600);
	arena_deinit(&s.arena);
	return e;
}

/* The file is then as it was if not all could be written. */
static int snapshot_write_end(int fd, const struct buf *b)
{
	off_t end = lseek(fd, 0, SEEK_END);
	ssize_t n;

	if (end < 0)
		return -errno;
	if ((size_t)end + buf_size(b) > SNAPSHOT_SIZE_MAX)
		return -EFBIG;
	n = write(fd, buf_data(b), buf_size(b));
	if (n == (ssize_t)buf_size(b))
		return 0;
	n = n < 0 ? -errno : -ENOSPC;
	return ftruncate(fd, end) < 0 ? -errno : (int)n;
}

/* Replaces the file, but without waiting for the disk: what has to be outlived is this process. */
static int snapshot_begin(const char *path, const struct buf *b)
{
	_cleanup_free_ char *fresh = NULL;
	_cleanup_close_ int fd = -1;
	int e;

	if (asprintf(&fresh, "%s.new", path) < 0)
		return -ENOMEM;
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	e = snapshot_write_end(fd, b);
	if (!e && rename(fresh, path) < 0)
		e = -errno;
	if (e)
		(void)!unlink(fresh);
	return e;
}

int snapshot_append(const char *path, const Viaduct__Agent__Desired *m, uint64_t cluster_id)
{
	_cleanup_buf_ struct buf b;
	_cleanup_close_ int fd = -1;
	int e;

	buf_init(&b, 2 * LIMIT_WIRE_FRAME_SIZE);
	e = m->full ? snapshot_pack(&b, m, cluster_id) : snapshot_pack_desired(&b, m);
	if (e)
		return e;
	if (m->full)
		return snapshot_begin(path, &b);
	fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	return fd < 0 ? -errno : snapshot_write_end(fd, &b);
}

/* ---- reading ---- */

/* Decodes the record at '*at', of 'kind', and moves '*at' behind it. */
static int snapshot_next(struct frame_decoder *decoder, const uint8_t **at, size_t *left,
			 Viaduct__Agent__Frame__BodyCase kind, const Viaduct__Agent__Frame **ret)
{
	size_t size;
	int e = frame_measure(*at, *left, &size);

	if (e || size > *left)
		return -EBADMSG;
	e = frame_decode(decoder, *at + FRAME_HEADER_SIZE, size - FRAME_HEADER_SIZE, ret);
	if (!e && (*ret)->body_case != kind)
		return -EBADMSG;
	*at += size;
	*left -= size;
	return e;
}

/* One Desired after the other; the first is all there was.  What is cut short at the end, by a host
 * that crashed, was never acknowledged. */
static int snapshot_replay(struct frame_decoder *decoder, const uint8_t *at, size_t left,
			   snapshot_fn fn, void *arg)
{
	const Viaduct__Agent__Frame *frame;
	uint64_t cluster_id;
	int e;

	e = snapshot_next(decoder, &at, &left, VIADUCT__AGENT__FRAME__BODY_WELCOME, &frame);
	if (e)
		return e;
	cluster_id = frame->welcome->cluster_id;
	for (bool first = true; left; first = false) {
		e = snapshot_next(decoder, &at, &left, VIADUCT__AGENT__FRAME__BODY_DESIRED, &frame);
		if (!e && first != (bool)frame->desired->full)
			e = -EBADMSG;
		if (e)
			return first ? e : 0;
		e = fn(cluster_id, frame->desired, arg);
		if (e)
			return e;
	}
	return 0;
}

int snapshot_read(const char *path, snapshot_fn fn, void *arg)
{
	_cleanup_free_ char *text = NULL;
	struct frame_decoder *decoder = NULL;
	size_t size;
	int e;

	e = file_read(path, SNAPSHOT_SIZE_MAX, &text, &size);
	if (!e)
		e = frame_decoder_new(&decoder);
	if (!e)
		e = snapshot_replay(decoder, (const uint8_t *)text, size, fn, arg);
	frame_decoder_free(decoder);
	return e;
}
