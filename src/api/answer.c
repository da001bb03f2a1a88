/* SPDX-License-Identifier: Apache-2.0 */
#include "api/answer.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "api/ec2.h"
#include "api/form.h"
#include "api/xml.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/rand.h"

/* A random UUID (RFC 4122 4.4), as AWS writes its request ids. */
static void make_request_id(char ret[static 37])
{
	uint8_t b[16];
	char text[33];

	rand_bytes(b, sizeof(b));
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	hex_encode(b, sizeof(b), text);
	snprintf(ret, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", text, text + 8, text + 12, text + 16,
		 text + 20);
}

void answer_init(struct api_answer *answer, enum api_protocol protocol)
{
	*answer = (struct api_answer){.status = 200, .protocol = protocol};
	answer->content_type = protocol == API_JSON ? "application/json" : "text/xml;charset=UTF-8";
	buf_init(&answer->body, LIMIT_API_ANSWER_SIZE);
	make_request_id(answer->request_id);
}

static void write_json_error(struct api_answer *answer, const char *code, const char *message)
{
	json_t *root = json_pack("{s:{s:s,s:s}}", "error", "code", code, "message", message);
	char *text = root ? json_dumps(root, 0) : NULL;

	if (text)
		buf_put_str(&answer->body, text);
	free(text);
	json_decref(root);
}

static void write_ec2_error(struct xml *x, const char *id, const char *code, const char *message)
{
	xml_open(x, "Response");
	xml_open(x, "Errors");
	xml_open(x, "Error");
	xml_text(x, "Code", code);
	xml_text(x, "Message", message);
	xml_close(x);
	xml_close(x);
	xml_text(x, "RequestID", id);
}

static void write_sts_error(struct xml *x, const char *id, const char *code, const char *message,
			    int status)
{
	xml_open(x, "ErrorResponse");
	xml_attribute(x, "xmlns", STS_NAMESPACE);
	xml_open(x, "Error");
	xml_text(x, "Type", status < 500 ? "Sender" : "Receiver");
	xml_text(x, "Code", code);
	xml_text(x, "Message", message);
	xml_close(x);
	xml_text(x, "RequestId", id);
}

/* Without memory for a body, the status alone must do. */
static void write_xml_error(struct api_answer *answer, const char *code, const char *message)
{
	struct xml x;

	xml_init(&x, &answer->body);
	if (answer->protocol == API_STS)
		write_sts_error(&x, answer->request_id, code, message, answer->status);
	else
		write_ec2_error(&x, answer->request_id, code, message);
	if (xml_end(&x))
		buf_reset(&answer->body);
	xml_deinit(&x);
}

/* What clients sent is quoted in messages, also cut in the middle of a character. */
static void make_printable(char *message)
{
	if (form_text_is_valid(message, strlen(message)))
		return;
	for (; *message; message++)
		if (*message < ' ' || *message > '~')
			*message = '?';
}

void answer_error(struct api_answer *answer, int status, const char *code, const char *format, ...)
{
	char message[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	make_printable(message);
	answer->status = status;
	buf_reset(&answer->body);
	if (answer->protocol == API_JSON)
		write_json_error(answer, code, message);
	else
		write_xml_error(answer, code, message);
}

void answer_fault(struct api_answer *answer, int r)
{
	if (r == -EMSGSIZE)
		answer_error(answer, 400, "ResponseTooLarge",
			     "The answer would be too large: ask for pages (%s), or use filters",
			     answer->protocol == API_JSON ? "limit" : "MaxResults");
	else
		answer_error(answer, 500, "InternalError", "An internal error has occurred: %s",
			     strerror(-r));
}

void api_answer_refuse(struct api_answer *answer, const char *why)
{
	answer_error(answer, 503, "Unavailable",
		     "The store cannot be written: %s. Nothing was changed; try again later.", why);
}

void api_answer_deinit(struct api_answer *answer)
{
	buf_deinit(&answer->body);
}
