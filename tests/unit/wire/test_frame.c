/* SPDX-License-Identifier: Apache-2.0 */
/* Records: what was packed decodes the same, and hostile bytes are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "wire/frame.h"

static struct frame_decoder *make_decoder(void)
{
	struct frame_decoder *decoder;

	assert_int_equal(frame_decoder_new(&decoder), 0);
	return decoder;
}

static void pack_ping(struct buf *out, uint64_t token)
{
	Viaduct__Agent__Ping ping = VIADUCT__AGENT__PING__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;

	ping.token = token;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_PING;
	frame.ping = &ping;
	assert_int_equal(frame_pack(out, &frame), 0);
}

/* requirement: MAP-3 */
static void packed_frames_decode_in_order(void **state)
{
	struct frame_decoder *decoder = make_decoder();
	const Viaduct__Agent__Frame *frame;
	_cleanup_buf_ struct buf out;
	size_t size;

	buf_init(&out, SIZE_MAX);
	for (uint64_t i = 0; i < 100; i++)
		pack_ping(&out, i << 32 | i);
	for (uint64_t i = 0; i < 100; i++) {
		assert_int_equal(frame_measure(buf_data(&out), buf_size(&out), &size), 0);
		assert_int_equal(frame_decode(decoder, buf_data(&out) + FRAME_HEADER_SIZE,
					      size - FRAME_HEADER_SIZE, &frame),
				 0);
		assert_int_equal(frame->body_case, VIADUCT__AGENT__FRAME__BODY_PING);
		assert_int_equal(frame->ping->token, i << 32 | i);
		assert_string_equal(frame_name(frame), "ping");
		buf_consume(&out, size);
	}
	assert_int_equal(buf_size(&out), 0);
	frame_decoder_free(decoder);
}

/* requirement: MAP-2 */
static void nested_questions_survive(void **state)
{
	uint8_t addr[16] = {[10] = 0xff, [11] = 0xff, [12] = 10, [15] = 4};
	Viaduct__Agent__Question question = VIADUCT__AGENT__QUESTION__INIT;
	Viaduct__Agent__Question *questions[3] = {&question, &question, &question};
	Viaduct__Agent__Resolve resolve = VIADUCT__AGENT__RESOLVE__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;
	struct frame_decoder *decoder = make_decoder();
	const Viaduct__Agent__Frame *got;
	_cleanup_buf_ struct buf out;

	question.kind = VIADUCT__AGENT__QUESTION__KIND__NAME;
	question.vni = 0xabcdef;
	question.addr = (ProtobufCBinaryData){.len = 16, .data = addr};
	question.name = (char *)"ip-10-0-0-4";
	resolve.seq = UINT64_MAX;
	resolve.n_questions = 3;
	resolve.questions = questions;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_RESOLVE;
	frame.resolve = &resolve;
	buf_init(&out, SIZE_MAX);
	assert_int_equal(frame_pack(&out, &frame), 0);
	assert_int_equal(frame_decode(decoder, buf_data(&out) + FRAME_HEADER_SIZE,
				      buf_size(&out) - FRAME_HEADER_SIZE, &got),
			 0);
	assert_true(got->resolve->seq == UINT64_MAX);
	assert_int_equal(got->resolve->n_questions, 3);
	assert_int_equal(got->resolve->questions[2]->vni, 0xabcdef);
	assert_memory_equal(got->resolve->questions[2]->addr.data, addr, 16);
	assert_string_equal(got->resolve->questions[1]->name, "ip-10-0-0-4");
	frame_decoder_free(decoder);
}

static void sizes_are_checked_before_anything_else(void **state)
{
	const uint8_t huge[] = {0x7f, 0xff, 0xff, 0xff, 0};
	const uint8_t partial[] = {0, 0, 0, 9, 1};
	size_t size = 77;

	assert_int_equal(frame_measure(huge, sizeof(huge), &size), -EMSGSIZE);
	assert_int_equal(frame_measure(partial, 3, &size), -EAGAIN);
	assert_int_equal(size, 77);
	assert_int_equal(frame_measure(partial, sizeof(partial), &size), 0);
	assert_int_equal(size, 13);
}

static void packing_respects_limits_and_leaves_the_buffer(void **state)
{
	Viaduct__Agent__Goodbye goodbye = VIADUCT__AGENT__GOODBYE__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;
	_cleanup_free_ char *text = calloc(1, LIMIT_WIRE_FRAME_SIZE + 1);
	_cleanup_buf_ struct buf out;
	size_t before;

	buf_init(&out, SIZE_MAX);
	pack_ping(&out, 5);
	before = buf_size(&out);
	memset(text, 'x', LIMIT_WIRE_FRAME_SIZE);
	goodbye.text = text;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_GOODBYE;
	frame.goodbye = &goodbye;
	assert_int_equal(frame_pack(&out, &frame), -EMSGSIZE);
	assert_int_equal(buf_size(&out), before);
	assert_int_equal(buf_error(&out), 0);
	out.limit = before + 2;
	text[1] = '\0';
	assert_int_equal(frame_pack(&out, &frame), -EMSGSIZE);
	assert_int_equal(buf_size(&out), before);
}

static void mutated_records_never_crash_the_decoder(void **state)
{
	struct frame_decoder *decoder = make_decoder();
	const Viaduct__Agent__Frame *frame;
	_cleanup_buf_ struct buf out;
	uint32_t seed = 1;
	uint8_t bytes[64];
	size_t n, refused = 0;
	int r;

	buf_init(&out, SIZE_MAX);
	pack_ping(&out, 0x0102030405060708);
	n = buf_size(&out) - FRAME_HEADER_SIZE;
	for (size_t i = 0; i < 20000; i++) {
		memcpy(bytes, buf_data(&out) + FRAME_HEADER_SIZE, n);
		for (int j = 0; j < 3; j++) {
			seed = seed * 1664525 + 1013904223;
			bytes[(seed >> 8) % n] = (uint8_t)(seed >> 24);
		}
		r = frame_decode(decoder, bytes, (seed >> 3) % (n + 1), &frame);
		assert_true(r == 0 || r == -EBADMSG);
		refused += r != 0;
	}
	assert_true(refused > 1000);
	frame_decoder_free(decoder);
}

static void records_that_decode_to_too_much_are_refused(void **state)
{
	struct frame_decoder *decoder = make_decoder();
	/* Empty questions: two bytes each, some 150 decoded. */
	uint32_t n = LIMIT_WIRE_FRAME_SIZE / 2 - 16;
	uint32_t body = 2 * n;
	_cleanup_free_ uint8_t *record = malloc(body + 5);
	const Viaduct__Agent__Frame *frame;

	record[0] = 6 << 3 | 2; /* Frame.resolve */
	record[1] = (uint8_t)(body | 0x80);
	record[2] = (uint8_t)(body >> 7 | 0x80);
	record[3] = (uint8_t)(body >> 14 | 0x80);
	record[4] = (uint8_t)(body >> 21);
	for (uint32_t i = 0; i < n; i++) {
		record[5 + 2 * i] = 2 << 3 | 2; /* Resolve.questions */
		record[6 + 2 * i] = 0;
	}
	assert_int_equal(frame_decode(decoder, record, body + 5, &frame), -ENOMEM);
	/* ... and the decoder is as good as new. */
	assert_int_equal(frame_decode(decoder, record, 0, &frame), 0);
	assert_string_equal(frame_name(frame), "unknown");
	frame_decoder_free(decoder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packed_frames_decode_in_order),
		cmocka_unit_test(nested_questions_survive),
		cmocka_unit_test(sizes_are_checked_before_anything_else),
		cmocka_unit_test(packing_respects_limits_and_leaves_the_buffer),
		cmocka_unit_test(mutated_records_never_crash_the_decoder),
		cmocka_unit_test(records_that_decode_to_too_much_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
