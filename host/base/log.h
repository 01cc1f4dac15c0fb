/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The error log: one line per event,
 *
 *	2026-01-31T12:00:00.123Z warn [web.0 gen 3 pid 4711] text
 *
 * and within the brackets " trace ID" of the request's trace, if it has one.
 * log_warn, log_error and fatal append strerror(errno); the x forms do not.
 * Control bytes are escaped.  With buffering on, lines are kept until
 * log_flush, which the loop calls once a turn; a log that can't take them
 * never blocks: lines are dropped, counted, and the count is logged later.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_LVL_DEBUG, LOG_LVL_INFO, LOG_LVL_WARN, LOG_LVL_ERROR };

/* Where lines go; starts as 2 (stderr).  Does not take ownership. */
void	log_set_fd(int fd);
struct syslog;
/* The same; a socket of syslog_open when form, which is copied, is not NULL. */
void	log_set_sink(int fd, const struct syslog *form);
void	log_set_level(enum log_level);
/* The text in brackets; copied. */
void	log_set_context(const char *fmt, ...)
	    __attribute__((format(printf, 1, 2)));
void	log_set_buffered(int on);
void	log_flush(void);
/* From a handler of a deadly signal: what was said before. */
void	log_last_words(void);
/*
 * The id of the trace that lines of this thread are about, 32 bytes that stay
 * where they are until the next call; NULL: of none.  Returns the one before.
 */
const char *log_set_trace(const char *id);
/* No id: for callers that have none to set. */
extern const char log_same_trace[];
/* Lines lost so far. */
uint64_t log_dropped(void);
/* "debug", "info", "warn", "error" -> level; -1 for another word. */
int	log_level_parse(const char *word);

#define PRINTF12 __attribute__((format(printf, 1, 2)))
void	log_debug(const char *fmt, ...) PRINTF12;
void	log_info(const char *fmt, ...) PRINTF12;
void	log_warn(const char *fmt, ...) PRINTF12;
void	log_warnx(const char *fmt, ...) PRINTF12;
void	log_error(const char *fmt, ...) PRINTF12;
void	log_errorx(const char *fmt, ...) PRINTF12;
void	fatal(const char *fmt, ...) PRINTF12 __attribute__((noreturn));
void	fatalx(const char *fmt, ...) PRINTF12 __attribute__((noreturn));
#undef PRINTF12
/* A text from elsewhere (a plugin), attributed to source. */
void	log_text(enum log_level, const char *source, const char *text,
	    size_t n);
/* The same with another text in brackets: what we write for others. */
void	log_text_as(const char *context, enum log_level, const char *source,
	    const char *text, size_t n);

#endif
