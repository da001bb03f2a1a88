/* SPDX-License-Identifier: Apache-2.0 */
#include "api/action.h"

#include <string.h>

#include "api/handlers.h"

#define T PARAM_TEXT
#define B PARAM_BOOL
#define U PARAM_U32
#define I PARAM_I32
#define REQ(name, t)                                                                               \
	{                                                                                          \
		name, t, PARAM_REQUIRED                                                            \
	}
#define OPT(name, t)                                                                               \
	{                                                                                          \
		name, t, PARAM_OPTIONAL                                                            \
	}
#define IGN(name, t)                                                                               \
	{                                                                                          \
		name, t, PARAM_IGNORED                                                             \
	}
#define NOT(name, t)                                                                               \
	{                                                                                          \
		name, t, PARAM_UNSUPPORTED                                                         \
	}
#define PARAMS(...)                                                                                \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

#define ACTION(name, handler, effect, group, filters, parameters, text)                            \
	static const struct param_spec params_##name[] = parameters;
#define REFUSED(name, group)
#include "api/actions.def"
#undef ACTION
#undef REFUSED

static const struct action table[] = {
#define ACTION(name_, handler, effect_, group_, filters_, parameters, text_)                       \
	{                                                                                          \
		.name = #name_,                                                                    \
		.handle = handler,                                                                 \
		.effect = ACTION_##effect_,                                                        \
		.group = group_,                                                                   \
		.params = params_##name_,                                                          \
		.n_params = ARRAY_SIZE(params_##name_),                                            \
		.filters = filters_,                                                               \
		.text = text_,                                                                     \
	},
#define REFUSED(name_, group_) {.name = #name_, .effect = ACTION_REFUSES, .group = group_},
#include "api/actions.def"
#undef ACTION
#undef REFUSED
};

const struct action *actions(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(table);
	return table;
}

/* 45 names: a look along the table costs less than what else a request needs. */
const struct action *action_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (!strcmp(table[i].name, name))
			return &table[i];
	return NULL;
}
