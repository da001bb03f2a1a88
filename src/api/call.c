/* SPDX-License-Identifier: Apache-2.0 */
#include "api/call.h"

#include <stdarg.h>
#include <stdio.h>

#include "model/id.h"
#include "model/tag.h"

int ec2_refuse(struct ec2_call *c, int status, const char *code, const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	c->status = status;
	c->code = code;
	c->message = arena_strdup(c->arena, text);
	return c->message ? EC2_REFUSED : -ENOMEM;
}

int ec2_refuse_value(struct ec2_call *c, const char *name, const char *value, const char *why)
{
	return ec2_refuse(c, 400, "InvalidParameterValue",
			  "Value (%.200s) for parameter %s is invalid. %s", value, name, why);
}

int ec2_refuse_missing(struct ec2_call *c, const char *name)
{
	return ec2_refuse(c, 400, "MissingParameter", "The request must contain the parameter %s",
			  name);
}

int ec2_refuse_unsupported(struct ec2_call *c, const char *what)
{
	/* Ansible's ec2_vpc_net and its like look for the first sentence, as it is. */
	return ec2_refuse(c, 400, "UnsupportedOperation",
			  "The functionality you requested is not available in this region. "
			  "Viaduct does not have it: %s",
			  what);
}

void ec2_write_return(struct ec2_call *c)
{
	xml_bool(c->xml, "return", true);
}

void ec2_write_tags(struct ec2_call *c, const struct object *o)
{
	size_t n;
	const struct tag *tags = tags_of(&c->caller, o, &n);

	xml_open(c->xml, "tagSet");
	for (size_t i = 0; i < n; i++) {
		xml_open(c->xml, "item");
		xml_text(c->xml, "key", tags[i].key);
		xml_text(c->xml, "value", tags[i].value);
		xml_close(c->xml);
	}
	xml_close(c->xml);
}

const char *account_text(uint64_t account, char buf[static ACCOUNT_TEXT_SIZE])
{
	snprintf(buf, ACCOUNT_TEXT_SIZE, "%012llu", (unsigned long long)account);
	return buf;
}

void ec2_write_owner(struct ec2_call *c, const char *name, uint64_t account)
{
	char text[ACCOUNT_TEXT_SIZE];

	xml_text(c->xml, name, account_text(account, text));
}

void ec2_write_id(struct ec2_call *c, const char *name, enum kind k, uint64_t id)
{
	char text[ID_TEXT_SIZE];

	if (id)
		xml_text(c->xml, name, id_text(k, id, text));
}

void ec2_write_addr(struct ec2_call *c, const char *name, const struct ipaddr *a)
{
	char text[IPADDR_TEXT_SIZE];

	if (!ipaddr_is_zero(a))
		xml_text(c->xml, name, ipaddr_text(a, text));
}

const char *ec2_arn(const struct ec2_call *c, const char *type, const struct object *o,
		    char buf[static ARN_SIZE])
{
	char account[ACCOUNT_TEXT_SIZE], id[ID_TEXT_SIZE];

	snprintf(buf, ARN_SIZE, "arn:aws:ec2:%s:%s:%s/%s", model_region(c->model),
		 account_text(o->account, account), type, object_id_text(o, id));
	return buf;
}

void ec2_write_prefix(struct ec2_call *c, const char *name, const struct prefix *p)
{
	char text[PREFIX_TEXT_SIZE];

	xml_text(c->xml, name, prefix_text(p, text));
}
