/* SPDX-License-Identifier: Apache-2.0 */
/* Look-ups read and written by hand are what protobuf-c reads and writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "wire/frame.h"
#include "wire/lookup.h"

enum { QUESTIONS = 4 };

static const uint64_t numbers[] = {0,
				   1,
				   127,
				   128,
				   16383,
				   16384,
				   UINT32_MAX - 1,
				   UINT32_MAX,
				   UINT64_MAX >> 1,
				   UINT64_MAX,
				   1 << 21,
				   (1 << 21) - 1,
				   1ULL << 56};

static struct ipaddr addr_of(uint64_t n)
{
	return ipaddr_from_v4(0x0a000000 + (uint32_t)n);
}

static ProtobufCBinaryData bytes_of(const struct ipaddr *addr)
{
	return (ProtobufCBinaryData){sizeof(addr->b), (uint8_t *)addr->b};
}

static void pack_resolve(struct buf *out, Viaduct__Agent__Resolve *resolve)
{
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;

	frame.body_case = VIADUCT__AGENT__FRAME__BODY_RESOLVE;
	frame.resolve = resolve;
	assert_int_equal(frame_pack(out, &frame), 0);
}

static int read_body(const struct buf *out, size_t max, struct lookup_question *questions,
		     uint64_t *seq, size_t *n)
{
	return lookup_read(buf_data(out) + FRAME_HEADER_SIZE, buf_size(out) - FRAME_HEADER_SIZE,
			   questions, max, seq, n);
}

static void questions_are_read(void **state)
{
	Viaduct__Agent__Question questions[QUESTIONS], *pointers[QUESTIONS];
	struct ipaddr askers[QUESTIONS], addrs[QUESTIONS];
	Viaduct__Agent__Resolve resolve = VIADUCT__AGENT__RESOLVE__INIT;
	struct lookup_question read[QUESTIONS];
	uint64_t seq;
	size_t n;

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		_cleanup_buf_ struct buf out;

		buf_init(&out, SIZE_MAX);
		resolve.seq = numbers[i];
		resolve.n_questions = i % (QUESTIONS + 1);
		resolve.questions = pointers;
		for (size_t k = 0; k < resolve.n_questions; k++) {
			viaduct__agent__question__init(&questions[k]);
			pointers[k] = &questions[k];
			askers[k] = addr_of(k);
			addrs[k] = addr_of(i + 100);
			questions[k].kind = k % 2 ? VIADUCT__AGENT__QUESTION__KIND__VERIFY
						  : VIADUCT__AGENT__QUESTION__KIND__SEND;
			questions[k].vni = (uint32_t)numbers[(i + k) % ARRAY_SIZE(numbers)];
			questions[k].addr_vni = (uint32_t)numbers[(i + 2 * k) % 8];
			questions[k].label = (uint32_t)numbers[(i + 3 * k) % 8];
			questions[k].asker = bytes_of(&askers[k]);
			if (k != 1)
				questions[k].addr = bytes_of(&addrs[k]);
		}
		pack_resolve(&out, &resolve);
		assert_int_equal(read_body(&out, QUESTIONS, read, &seq, &n), 0);
		assert_true(seq == numbers[i]);
		assert_int_equal(n, resolve.n_questions);
		for (size_t k = 0; k < n; k++) {
			assert_int_equal(read[k].kind, questions[k].kind);
			assert_int_equal(read[k].vni, questions[k].vni);
			assert_int_equal(read[k].addr_vni, questions[k].addr_vni);
			assert_int_equal(read[k].label, questions[k].label);
			assert_true(ipaddr_equal(read[k].asker, &askers[k]));
			if (k == 1)
				assert_null(read[k].addr);
			else
				assert_true(ipaddr_equal(read[k].addr, &addrs[k]));
			assert_null(read[k].name);
		}
	}
}

/* Left to frame_decode(), which reads them, or refuses them. */
static void what_is_unusual_is_left(void **state)
{
	Viaduct__Agent__Question question = VIADUCT__AGENT__QUESTION__INIT;
	Viaduct__Agent__Question *pointers[] = {&question, &question};
	Viaduct__Agent__Resolve resolve = VIADUCT__AGENT__RESOLVE__INIT;
	Viaduct__Agent__Ping ping = VIADUCT__AGENT__PING__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;
	struct lookup_question read[QUESTIONS];
	_cleanup_buf_ struct buf out;
	uint64_t seq;
	size_t n;

	buf_init(&out, SIZE_MAX);
	resolve.questions = pointers;
	resolve.n_questions = 1;
	question.name = (char *)"db";
	pack_resolve(&out, &resolve);
	assert_int_equal(read_body(&out, QUESTIONS, read, &seq, &n), -ENOTSUP);

	/* An address of four bytes: protobuf-c reads it, and it is no address. */
	buf_reset(&out);
	viaduct__agent__question__init(&question);
	question.addr = (ProtobufCBinaryData){4, (uint8_t *)"\x0a\0\0\x01"};
	pack_resolve(&out, &resolve);
	assert_int_equal(read_body(&out, QUESTIONS, read, &seq, &n), -ENOTSUP);

	/* More than there is room for. */
	buf_reset(&out);
	viaduct__agent__question__init(&question);
	resolve.n_questions = 2;
	pack_resolve(&out, &resolve);
	assert_int_equal(read_body(&out, 1, read, &seq, &n), -ENOTSUP);
	assert_int_equal(read_body(&out, 2, read, &seq, &n), 0);

	/* Another body; none. */
	buf_reset(&out);
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_PING;
	frame.ping = &ping;
	assert_int_equal(frame_pack(&out, &frame), 0);
	assert_int_equal(read_body(&out, QUESTIONS, read, &seq, &n), -ENOTSUP);
	assert_int_equal(lookup_read((const uint8_t *)"", 0, read, QUESTIONS, &seq, &n), -ENOTSUP);
}

/* Every prefix of a record: nothing is read behind its end (the sanitizer watches). */
static void what_is_cut_off_is_left(void **state)
{
	Viaduct__Agent__Question question = VIADUCT__AGENT__QUESTION__INIT;
	Viaduct__Agent__Question *pointers[] = {&question, &question};
	Viaduct__Agent__Resolve resolve = VIADUCT__AGENT__RESOLVE__INIT;
	struct lookup_question read[QUESTIONS];
	struct ipaddr addr = addr_of(7);
	_cleanup_buf_ struct buf out;
	uint64_t seq;
	size_t n, body;

	buf_init(&out, SIZE_MAX);
	question.vni = UINT32_MAX;
	question.asker = bytes_of(&addr);
	question.addr = bytes_of(&addr);
	resolve.seq = UINT64_MAX;
	resolve.n_questions = 2;
	resolve.questions = pointers;
	pack_resolve(&out, &resolve);
	body = buf_size(&out) - FRAME_HEADER_SIZE;
	for (size_t size = 0; size < body; size++) {
		_cleanup_free_ uint8_t *cut = malloc(size ? size : 1);

		memcpy(cut, buf_data(&out) + FRAME_HEADER_SIZE, size);
		assert_int_equal(lookup_read(cut, size, read, QUESTIONS, &seq, &n), -ENOTSUP);
	}
}

static void pack_resolved(struct buf *out, uint64_t seq, const struct lookup_answer *answers,
			  size_t n)
{
	Viaduct__Agent__Resolved resolved = VIADUCT__AGENT__RESOLVED__INIT;
	Viaduct__Agent__Frame frame = VIADUCT__AGENT__FRAME__INIT;
	Viaduct__Agent__Mapping mappings[QUESTIONS];
	Viaduct__Agent__Answer messages[QUESTIONS], *pointers[QUESTIONS];

	for (size_t i = 0; i < n; i++) {
		viaduct__agent__answer__init(&messages[i]);
		viaduct__agent__mapping__init(&mappings[i]);
		pointers[i] = &messages[i];
		messages[i].status = (Viaduct__Agent__Answer__Status)answers[i].status;
		if (!answers[i].addr)
			continue;
		messages[i].mapping = &mappings[i];
		mappings[i].vni = answers[i].vni;
		mappings[i].addr = bytes_of(answers[i].addr);
		mappings[i].host = answers[i].host;
		mappings[i].revision = answers[i].revision;
		mappings[i].lifetime = answers[i].lifetime;
		mappings[i].groups = (uint32_t *)answers[i].groups;
		mappings[i].n_groups = answers[i].n_groups;
		mappings[i].hosts = (uint32_t *)answers[i].hosts;
		mappings[i].n_hosts = answers[i].n_hosts;
		mappings[i].label = answers[i].label;
	}
	resolved.seq = seq;
	resolved.n_answers = n;
	resolved.answers = pointers;
	frame.body_case = VIADUCT__AGENT__FRAME__BODY_RESOLVED;
	frame.resolved = &resolved;
	assert_int_equal(frame_pack(out, &frame), 0);
}

static void answers_are_written(void **state)
{
	static const uint32_t groups[] = {1, 127, 128, UINT32_MAX};
	struct lookup_answer answers[QUESTIONS];
	struct ipaddr addrs[QUESTIONS];

	for (size_t i = 0; i < 1000; i++) {
		_cleanup_buf_ struct buf by_hand, by_library;
		size_t n = i % (QUESTIONS + 1);

		buf_init(&by_hand, SIZE_MAX);
		buf_init(&by_library, SIZE_MAX);
		for (size_t k = 0; k < n; k++) {
			addrs[k] = addr_of(i + k);
			answers[k] = (struct lookup_answer){.status = (uint32_t)((i + k) % 3)};
			if (answers[k].status)
				continue;
			answers[k].addr = &addrs[k];
			answers[k].vni = (uint32_t)numbers[(i + k) % 13];
			answers[k].host = (uint32_t)numbers[(i / 2 + k) % 13];
			answers[k].revision = numbers[(i / 3 + k) % 13];
			answers[k].lifetime = (uint32_t)numbers[(i / 5 + k) % 13];
			answers[k].groups = groups;
			answers[k].n_groups = i / 7 % (ARRAY_SIZE(groups) + 1);
			answers[k].hosts = groups;
			answers[k].n_hosts = i / 11 % (ARRAY_SIZE(groups) + 1);
			answers[k].label = (uint32_t)numbers[(i + k) % 8];
		}
		assert_int_equal(lookup_write(&by_hand, numbers[i % 13], answers, n), 0);
		pack_resolved(&by_library, numbers[i % 13], answers, n);
		assert_int_equal(buf_size(&by_hand), buf_size(&by_library));
		assert_memory_equal(buf_data(&by_hand), buf_data(&by_library), buf_size(&by_hand));
	}
}

static void a_full_buffer_stays_as_it_is(void **state)
{
	struct lookup_answer answer = {.status = 1};
	_cleanup_buf_ struct buf out;

	buf_init(&out, 12);
	buf_put(&out, "abc", 3);
	assert_int_equal(lookup_write(&out, 1, &answer, 1), -EMSGSIZE);
	assert_int_equal(buf_error(&out), 0);
	assert_int_equal(buf_size(&out), 3);
	assert_memory_equal(buf_data(&out), "abc", 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(questions_are_read),
		cmocka_unit_test(what_is_unusual_is_left),
		cmocka_unit_test(what_is_cut_off_is_left),
		cmocka_unit_test(answers_are_written),
		cmocka_unit_test(a_full_buffer_stays_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
