/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a record's body: what lookup_read() takes, protobuf-c takes too, and both read the
 * same questions.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "wire/frame.h"
#include "wire/lookup.h"

enum { QUESTIONS = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lookup_question questions[QUESTIONS];
	const Viaduct__Agent__Question *message;
	const Viaduct__Agent__Frame *frame;
	struct frame_decoder *decoder;
	uint64_t seq;
	size_t n;

	if (lookup_read(data, size, questions, QUESTIONS, &seq, &n))
		return 0;
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
	return 0;
}
