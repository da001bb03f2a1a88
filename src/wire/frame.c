/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packing and decoding of records.  protobuf-c allocates each part of a message by itself; here
 * they all come from one arena, so that a decode is a few additions and its end is one.
 */
#include "wire/frame.h"

#include "base/arena.h"
#include "base/limits.h"

struct frame_decoder {
	struct arena arena;
	ProtobufCAllocator allocator;
};

static void *decoder_alloc(void *data, size_t size)
{
	struct frame_decoder *decoder = data;

	return arena_alloc(&decoder->arena, size);
}

static void decoder_free_part(void *data, void *pointer)
{
	/* The arena frees all parts at once. */
}

int frame_decoder_new(struct frame_decoder **ret)
{
	struct frame_decoder *decoder = calloc(1, sizeof(*decoder));

	if (!decoder)
		return -ENOMEM;
	arena_init(&decoder->arena, LIMIT_WIRE_DECODE_SIZE);
	decoder->allocator = (ProtobufCAllocator){
		.alloc = decoder_alloc,
		.free = decoder_free_part,
		.allocator_data = decoder,
	};
	*ret = decoder;
	return 0;
}

struct frame_decoder *frame_decoder_free(struct frame_decoder *decoder)
{
	if (!decoder)
		return NULL;
	arena_deinit(&decoder->arena);
	free(decoder);
	return NULL;
}

int frame_pack(struct buf *out, const Viaduct__Agent__Frame *frame)
{
	size_t size = viaduct__agent__frame__get_packed_size(frame);
	uint8_t *room;

	if (size > LIMIT_WIRE_FRAME_SIZE || out->limit - buf_size(out) < size + FRAME_HEADER_SIZE)
		return -EMSGSIZE;
	room = buf_reserve(out, size + FRAME_HEADER_SIZE);
	if (!room) {
		/* The limit was checked above, so memory it was; what was there before stays. */
		out->error = 0;
		return -ENOMEM;
	}
	room[0] = (uint8_t)(size >> 24);
	room[1] = (uint8_t)(size >> 16);
	room[2] = (uint8_t)(size >> 8);
	room[3] = (uint8_t)size;
	viaduct__agent__frame__pack(frame, room + FRAME_HEADER_SIZE);
	buf_commit(out, size + FRAME_HEADER_SIZE);
	return 0;
}

int frame_measure(const uint8_t *data, size_t size, size_t *ret_size)
{
	size_t body;

	if (size < FRAME_HEADER_SIZE)
		return -EAGAIN;
	body = (size_t)data[0] << 24 | (size_t)data[1] << 16 | (size_t)data[2] << 8 | data[3];
	if (body > LIMIT_WIRE_FRAME_SIZE)
		return -EMSGSIZE;
	*ret_size = body + FRAME_HEADER_SIZE;
	return 0;
}

int frame_decode(struct frame_decoder *decoder, const uint8_t *data, size_t size,
		 const Viaduct__Agent__Frame **ret_frame)
{
	Viaduct__Agent__Frame *frame;

	arena_reset(&decoder->arena);
	frame = viaduct__agent__frame__unpack(&decoder->allocator, size, data);
	if (!frame)
		/* protobuf-c does not say why; an arena that is nearly full is the one other cause.
		 */
		return decoder->arena.used > LIMIT_WIRE_DECODE_SIZE / 2 ? -ENOMEM : -EBADMSG;
	*ret_frame = frame;
	return 0;
}

const char *frame_name(const Viaduct__Agent__Frame *frame)
{
	static const char *const names[] = {
		[VIADUCT__AGENT__FRAME__BODY_HELLO] = "hello",
		[VIADUCT__AGENT__FRAME__BODY_WELCOME] = "welcome",
		[VIADUCT__AGENT__FRAME__BODY_GOODBYE] = "goodbye",
		[VIADUCT__AGENT__FRAME__BODY_DESIRED] = "desired",
		[VIADUCT__AGENT__FRAME__BODY_ACK] = "ack",
		[VIADUCT__AGENT__FRAME__BODY_RESOLVE] = "resolve",
		[VIADUCT__AGENT__FRAME__BODY_RESOLVED] = "resolved",
		[VIADUCT__AGENT__FRAME__BODY_UPDATE] = "update",
		[VIADUCT__AGENT__FRAME__BODY_UPDATE_ACK] = "update-ack",
		[VIADUCT__AGENT__FRAME__BODY_INSTANCE_STATUS] = "instance-status",
		[VIADUCT__AGENT__FRAME__BODY_CAPABILITIES] = "capabilities",
		[VIADUCT__AGENT__FRAME__BODY_CAPABILITIES_REQUEST] = "capabilities-request",
		[VIADUCT__AGENT__FRAME__BODY_STATS] = "stats",
		[VIADUCT__AGENT__FRAME__BODY_EVENTS] = "events",
		[VIADUCT__AGENT__FRAME__BODY_RELEASED] = "released",
		[VIADUCT__AGENT__FRAME__BODY_TRANSLATIONS_READ] = "translations-read",
		[VIADUCT__AGENT__FRAME__BODY_TRANSLATIONS] = "translations",
		[VIADUCT__AGENT__FRAME__BODY_TRANSLATIONS_WRITE] = "translations-write",
		[VIADUCT__AGENT__FRAME__BODY_TRANSLATIONS_WRITTEN] = "translations-written",
		[VIADUCT__AGENT__FRAME__BODY_PING] = "ping",
		[VIADUCT__AGENT__FRAME__BODY_PONG] = "pong",
		[VIADUCT__AGENT__FRAME__BODY_CERTIFICATE] = "certificate",
		[VIADUCT__AGENT__FRAME__BODY_FLOW_RECORDS] = "flow-records",
		[VIADUCT__AGENT__FRAME__BODY_FLOW_ACK] = "flow-ack",
	};
	unsigned int body = (unsigned int)frame->body_case;

	return body < ARRAY_SIZE(names) && names[body] ? names[body] : "unknown";
}
