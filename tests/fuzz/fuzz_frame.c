/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a stream of records: each is decoded, named and packed again, and what was packed
 * decodes to a frame of the same kind.  And as a record's body, for the questions that are read
 * past protobuf-c.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/frame.h"
#include "wire/lookup.h"

enum { QUESTIONS = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Unknown fields are kept as they came, and need not be well formed: only what we know must come
 * back. */
static void check_again(const Viaduct__Agent__Frame *frame)
{
	const Viaduct__Agent__Frame *again;
	struct frame_decoder *decoder;
	struct buf out;

	if (frame_decoder_new(&decoder))
		abort();
	buf_init(&out, SIZE_MAX);
	if (!frame_pack(&out, frame) &&
	    !frame_decode(decoder, buf_data(&out) + FRAME_HEADER_SIZE,
			  buf_size(&out) - FRAME_HEADER_SIZE, &again) &&
	    again->body_case != frame->body_case)
		abort();
	buf_deinit(&out);
	frame_decoder_free(decoder);
}

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void check_addr(const struct ipaddr *addr, const ProtobufCBinaryData *bytes)
{
	check(addr ? bytes->len == sizeof(addr->b) && !memcmp(addr->b, bytes->data, sizeof(addr->b))
		   : !bytes->len);
}

/* What lookup_read() takes of a body, protobuf-c takes too, and both read the same questions. */
static void check_lookup(const uint8_t *data, size_t size)
{
	struct lookup_question questions[QUESTIONS];
	const Viaduct__Agent__Question *message;
	const Viaduct__Agent__Frame *frame;
	struct frame_decoder *decoder;
	uint64_t seq;
	size_t n;

	if (lookup_read(data, size, questions, QUESTIONS, &seq, &n))
		return;
	if (frame_decoder_new(&decoder))
		abort();
	check(!frame_decode(decoder, data, size, &frame));
	check(frame->body_case == VIADUCT__AGENT__FRAME__BODY_RESOLVE);
	check(frame->resolve->seq == seq && frame->resolve->n_questions == n);
	for (size_t i = 0; i < n; i++) {
		message = frame->resolve->questions[i];
		check((uint32_t)message->kind == questions[i].kind);
		check(message->vni == questions[i].vni);
		check(message->addr_vni == questions[i].addr_vni);
		check(message->label == questions[i].label);
		check(!questions[i].name && !*message->name);
		check_addr(questions[i].asker, &message->asker);
		check_addr(questions[i].addr, &message->addr);
	}
	frame_decoder_free(decoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const Viaduct__Agent__Frame *frame;
	struct frame_decoder *decoder;
	size_t record;

	check_lookup(data, size);
	if (frame_decoder_new(&decoder))
		abort();
	while (!frame_measure(data, size, &record) && record <= size) {
		check_lookup(data + FRAME_HEADER_SIZE, record - FRAME_HEADER_SIZE);
		if (!frame_decode(decoder, data + FRAME_HEADER_SIZE, record - FRAME_HEADER_SIZE,
				  &frame)) {
			if (!frame_name(frame))
				abort();
			check_again(frame);
		}
		data += record;
		size -= record;
	}
	frame_decoder_free(decoder);
	return 0;
}
