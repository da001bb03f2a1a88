/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing the XML of EC2 answers into a buffer, over libxml2's text writer.
 *
 * Names are literals of ours, values are any text.  The first error is kept: a document is written
 * as a straight list of calls, and xml_end() tells at last whether all went well.  One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct _xmlTextWriter;

struct xml {
	struct _xmlTextWriter *writer;
	struct buf *out; /* borrowed */
	int error;
};

void xml_init(struct xml *x, struct buf *out);
void xml_deinit(struct xml *x);
/* Closes what is open and flushes.  0, -ENOMEM, -EMSGSIZE (the buffer's limit). */
must_check int xml_end(struct xml *x);

void xml_open(struct xml *x, const char *name);
void xml_close(struct xml *x);
void xml_attribute(struct xml *x, const char *name, const char *value);
/* <name>value</name>; NULL: nothing is written. */
void xml_text(struct xml *x, const char *name, const char *value);
void xml_bool(struct xml *x, const char *name, bool value);
void xml_u64(struct xml *x, const char *name, uint64_t value);
/* Unix milliseconds as 2023-01-31T12:00:00.000Z */
void xml_time(struct xml *x, const char *name, uint64_t ms);
/* <name/> */
void xml_empty(struct xml *x, const char *name);

enum { XML_TIME_SIZE = 25 };
const char *xml_time_text(uint64_t ms, char buf[static XML_TIME_SIZE]);
