/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a stream of records: each is decoded, named and packed again, and what was packed
 * decodes to a frame of the same kind.
 */
#include <stdint.h>
#include <stdlib.h>

#include "wire/frame.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const Viaduct__Agent__Frame *frame;
	struct frame_decoder *decoder;
	size_t record;

	if (frame_decoder_new(&decoder))
		abort();
	while (!frame_measure(data, size, &record) && record <= size) {
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
