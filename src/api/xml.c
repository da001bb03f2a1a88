/* SPDX-License-Identifier: Apache-2.0 */
#include "api/xml.h"

#include <libxml/xmlwriter.h>
#include <stdio.h>
#include <time.h>

/* Errors stay in the buffer, for xml_end(): libxml2 would print them. */
static int on_write(void *context, const char *data, int size)
{
	buf_put(context, data, (size_t)size);
	return size;
}

void xml_init(struct xml *x, struct buf *out)
{
	xmlOutputBuffer *buffer;

	*x = (struct xml){.out = out};
	buffer = xmlOutputBufferCreateIO(on_write, NULL, out, NULL);
	if (buffer) {
		x->writer = xmlNewTextWriter(buffer);
		if (!x->writer)
			xmlOutputBufferClose(buffer);
	}
	if (!x->writer)
		x->error = -ENOMEM;
	else if (xmlTextWriterStartDocument(x->writer, NULL, "UTF-8", NULL) < 0)
		x->error = -ENOMEM;
}

void xml_deinit(struct xml *x)
{
	if (x->writer)
		xmlFreeTextWriter(x->writer);
	x->writer = NULL;
}

static void check(struct xml *x, int r)
{
	if (r >= 0 || x->error)
		return;
	x->error = buf_error(x->out);
	if (!x->error)
		x->error = -ENOMEM;
}

int xml_end(struct xml *x)
{
	if (!x->error)
		check(x, xmlTextWriterEndDocument(x->writer));
	if (!x->error)
		check(x, xmlTextWriterFlush(x->writer));
	return x->error ? x->error : buf_error(x->out);
}

void xml_open(struct xml *x, const char *name)
{
	if (!x->error)
		check(x, xmlTextWriterStartElement(x->writer, (const xmlChar *)name));
}

void xml_close(struct xml *x)
{
	if (!x->error)
		check(x, xmlTextWriterEndElement(x->writer));
}

void xml_attribute(struct xml *x, const char *name, const char *value)
{
	if (!x->error)
		check(x, xmlTextWriterWriteAttribute(x->writer, (const xmlChar *)name,
						     (const xmlChar *)value));
}

void xml_text(struct xml *x, const char *name, const char *value)
{
	if (!x->error && value)
		check(x, xmlTextWriterWriteElement(x->writer, (const xmlChar *)name,
						   (const xmlChar *)value));
}

void xml_bool(struct xml *x, const char *name, bool value)
{
	xml_text(x, name, value ? "true" : "false");
}

void xml_u64(struct xml *x, const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	xml_text(x, name, text);
}

const char *xml_time_text(uint64_t ms, char buf[static XML_TIME_SIZE])
{
	time_t t = (time_t)(ms / 1000);
	char seconds[20];
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &tm))
		return "";
	snprintf(buf, XML_TIME_SIZE, "%s.%03uZ", seconds, (unsigned int)(ms % 1000));
	return buf;
}

void xml_time(struct xml *x, const char *name, uint64_t ms)
{
	char text[XML_TIME_SIZE];

	xml_text(x, name, xml_time_text(ms, text));
}

void xml_empty(struct xml *x, const char *name)
{
	xml_open(x, name);
	xml_close(x);
}
