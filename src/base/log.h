/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: fixed text and key=value fields, one line per event, to standard error.
 *
 *	log_warn("port refused", LOG_STR("port", name), LOG_U64("vni", vni), LOG_ERRNO(r));
 *	=> W port refused port=p1 vni=7 error="No such device"
 *
 * Values are quoted and escaped, so that hostile input cannot forge a line or a field; the text and
 * the keys are literals of ours.  Fields are evaluated only when the level is enabled.
 *
 * To the systemd journal each line goes with its priority.
 *
 * Each call site is rate limited (LIMIT_LOG_BURST lines per LIMIT_LOG_INTERVAL_MS); the first line
 * after a suppressed stretch carries suppressed=N.
 *
 * Threads: any thread may log; a line is written whole.  Rooms below the programs log at debug
 * only. The log is the one process-wide state beside main's arguments; it has no errors to report.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum log_level {
	LOG_LEVEL_ERR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO, /* the default */
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_MAX,
};

enum log_kind { LOG_KIND_END, LOG_KIND_STR, LOG_KIND_U64, LOG_KIND_I64, LOG_KIND_ERRNO };

struct log_field {
	const char *key;
	enum log_kind kind;
	union {
		const char *str; /* NULL is written as - */
		uint64_t u64;
		int64_t i64; /* also the errno, of either sign */
	};
};

#define LOG_STR(k, v) ((struct log_field){.key = (k), .kind = LOG_KIND_STR, .str = (v)})
#define LOG_U64(k, v) ((struct log_field){.key = (k), .kind = LOG_KIND_U64, .u64 = (v)})
#define LOG_I64(k, v) ((struct log_field){.key = (k), .kind = LOG_KIND_I64, .i64 = (v)})
#define LOG_ERRNO(r)  ((struct log_field){.key = "error", .kind = LOG_KIND_ERRNO, .i64 = (r)})

/* The rate limit's state of one call site. */
struct log_site {
	uint64_t since_ms;
	uint32_t n_lines;
	uint32_t n_suppressed;
};

/* Sets the least important level that is written. */
void log_set_level(enum log_level level);
bool log_enabled(enum log_level level);
/* "err", "warn", "info", "debug"; 0 or -EINVAL. */
int log_level_parse(const char *text, enum log_level *ret);
/* Writes lines to 'fd' from now on (borrowed); 2 at first. */
void log_set_fd(int fd);

/* Formats and writes one line; 'fields' end with LOG_KIND_END.  Called by the macros below. */
void log_write(struct log_site *site, enum log_level level, const char *text,
	       const struct log_field *fields);

#define log_at(level, text, ...)                                                                   \
	do {                                                                                       \
		static struct log_site log_site_;                                                  \
		if (log_enabled(level))                                                            \
			log_write(&log_site_, (level), "" text,                                    \
				  (const struct log_field[]){                                      \
					  __VA_ARGS__ __VA_OPT__(, ){.kind = LOG_KIND_END}});      \
	} while (0)

#define log_err(text, ...)   log_at(LOG_LEVEL_ERR, text, __VA_ARGS__)
#define log_warn(text, ...)  log_at(LOG_LEVEL_WARN, text, __VA_ARGS__)
#define log_info(text, ...)  log_at(LOG_LEVEL_INFO, text, __VA_ARGS__)
#define log_debug(text, ...) log_at(LOG_LEVEL_DEBUG, text, __VA_ARGS__)
