/* SPDX-License-Identifier: Apache-2.0 */
/* The log's formatting and rate limit: see log.h. */
#include "base/log.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/str.h"

static const char *const level_names[LOG_LEVEL_MAX] = {
	[LOG_LEVEL_ERR] = "err",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};
static const char level_letters[LOG_LEVEL_MAX] = {'E', 'W', 'I', 'D'};
static const int level_priorities[LOG_LEVEL_MAX] = {LOG_ERR, LOG_WARNING, LOG_INFO, LOG_DEBUG};

static _Atomic int log_level = LOG_LEVEL_INFO;
static _Atomic int log_fd = STDERR_FILENO;
enum { TO_UNKNOWN, TO_OTHERS, TO_JOURNAL };
static _Atomic int log_to = TO_UNKNOWN;                       /* what log_fd is */
static pthread_mutex_t log_mutex = PTHREAD_MUTEX_INITIALIZER; /* guards every log_site */

struct line {
	char text[LIMIT_LOG_LINE_SIZE];
	size_t size;
};

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&log_level, (int)level, memory_order_relaxed);
}

bool log_enabled(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&log_level, memory_order_relaxed);
}

int log_level_parse(const char *text, enum log_level *ret)
{
	for (int i = 0; i < LOG_LEVEL_MAX; i++) {
		if (!str_equal(text, level_names[i]))
			continue;
		*ret = (enum log_level)i;
		return 0;
	}
	return -EINVAL;
}

void log_set_fd(int fd)
{
	atomic_store_explicit(&log_fd, fd, memory_order_relaxed);
	atomic_store_explicit(&log_to, TO_UNKNOWN, memory_order_relaxed);
}

/* Whether it is the journal's stream, of which $JOURNAL_STREAM says device and inode
 * (systemd.exec(5)). */
static bool is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && !fstat(fd, &st) &&
	       st.st_dev == device && st.st_ino == inode;
}

static bool writes_to_journal(void)
{
	int to = atomic_load_explicit(&log_to, memory_order_relaxed);

	if (to == TO_UNKNOWN) {
		to = is_journal(atomic_load_explicit(&log_fd, memory_order_relaxed)) ? TO_JOURNAL
										     : TO_OTHERS;
		atomic_store_explicit(&log_to, to, memory_order_relaxed);
	}
	return to == TO_JOURNAL;
}

/* Appends what fits; the last byte stays free for the newline. */
static void __attribute__((format(printf, 2, 3))) line_add(struct line *l, const char *format, ...)
{
	size_t room = sizeof(l->text) - 1 - l->size;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(l->text + l->size, room, format, args);
	va_end(args);
	if (n > 0)
		l->size += (size_t)n < room ? (size_t)n : room - 1;
}

/* Text that needs no quotes: it cannot be taken for the end of the field. */
static bool is_plain(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if (*s <= ' ' || *s >= 0x7f || *s == '"' || *s == '\\' || *s == '=')
			return false;
	return true;
}

static void line_add_str(struct line *l, const char *key, const char *s)
{
	char escaped[LIMIT_LOG_LINE_SIZE / 2];

	if (!s)
		line_add(l, " %s=-", key);
	else if (is_plain(s) && strlen(s) < sizeof(escaped) && !str_equal(s, "-"))
		line_add(l, " %s=%s", key, s);
	else
		line_add(l, " %s=\"%s\"", key, str_escape(s, escaped, sizeof(escaped)));
}

static void line_add_field(struct line *l, const struct log_field *f)
{
	char buf[128];

	switch (f->kind) {
	case LOG_KIND_STR:
		line_add_str(l, f->key, f->str);
		break;
	case LOG_KIND_U64:
		line_add(l, " %s=%" PRIu64, f->key, f->u64);
		break;
	case LOG_KIND_I64:
		line_add(l, " %s=%" PRId64, f->key, f->i64);
		break;
	case LOG_KIND_ERRNO:
		line_add_str(l, f->key,
			     strerror_r((int)(f->i64 < 0 ? -f->i64 : f->i64), buf, sizeof(buf)));
		break;
	case LOG_KIND_END:
		break;
	}
}

/* True when the line may be written; '*ret_suppressed' says how many were not since the last one.
 */
static bool site_admit(struct log_site *site, uint32_t *ret_suppressed)
{
	struct timespec now;
	uint64_t now_ms;
	bool admitted = true;

	clock_gettime(CLOCK_MONOTONIC, &now);
	now_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	pthread_mutex_lock(&log_mutex);
	if (!site->n_lines || now_ms - site->since_ms >= LIMIT_LOG_INTERVAL_MS) {
		site->since_ms = now_ms;
		site->n_lines = 0;
	}
	if (site->n_lines < LIMIT_LOG_BURST) {
		site->n_lines++;
		*ret_suppressed = site->n_suppressed;
		site->n_suppressed = 0;
	} else {
		site->n_suppressed++;
		admitted = false;
	}
	pthread_mutex_unlock(&log_mutex);
	return admitted;
}

void log_write(struct log_site *site, enum log_level level, const char *text,
	       const struct log_field *fields)
{
	int saved_errno = errno;
	struct line l = {.size = 0};
	uint32_t suppressed;
	ssize_t n;

	if (!site_admit(site, &suppressed))
		return;
	/* sd-daemon(3): the journal takes it off again. */
	if (writes_to_journal())
		line_add(&l, "<%d>", level_priorities[level]);
	line_add(&l, "%c %s", level_letters[level], text);
	/* First, so that long values cannot push it off the line. */
	if (suppressed)
		line_add(&l, " suppressed=%" PRIu32, suppressed);
	for (const struct log_field *f = fields; f->kind != LOG_KIND_END; f++)
		line_add_field(&l, f);
	l.text[l.size++] = '\n';
	do
		n = write(atomic_load_explicit(&log_fd, memory_order_relaxed), l.text, l.size);
	while (n < 0 && errno == EINTR);
	errno = saved_errno;
}
