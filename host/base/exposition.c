/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include "base/exposition.h"
#include "base/utf8.h"

static void
put_escaped(struct buf *b, const char *p, int quotes)
{
	int valid = utf8_is_valid(p, strlen(p));

	for (; *p != '\0'; p++) {
		if (*p == '\n')
			buf_puts(b, "\\n");
		else if (*p == '\\' || (quotes && *p == '"'))
			buf_printf(b, "\\%c", *p);
		else
			buf_append(b, valid || (unsigned char)*p < 0x80 ? p :
			    "?", 1);
	}
}

void
exposition_family_n(struct exposition *x, const char *name, size_t n,
    enum exposition_type type, const char *help)
{
	static const char *const types[] = { "counter", "gauge", "histogram" };
	/* What is called by its name with _total is the sample; in the older
	 * format it is the family, too. */
	const char *end = type == EXPOSITION_COUNTER && !x->openmetrics ?
	    "_total" : "";

	x->type = type;
	x->name.len = 0;
	buf_append(&x->name, name, n);
	buf_append(&x->name, "", 1);
	buf_printf(x->out, "# HELP %s%s ", x->name.p, end);
	/* Only OpenMetrics has quotes escaped there. */
	put_escaped(x->out, help, x->openmetrics);
	buf_printf(x->out, "\n# TYPE %s%s %s\n", x->name.p, end, types[type]);
}

void
exposition_family(struct exposition *x, const char *name,
    enum exposition_type type, const char *help)
{
	exposition_family_n(x, name, strlen(name), type, help);
}

static void
put_labels(struct buf *b, va_list ap)
{
	const char *name;

	b->len = 0;
	while ((name = va_arg(ap, const char *)) != NULL) {
		buf_printf(b, "%s%s=\"", b->len > 0 ? "," : "", name);
		put_escaped(b, va_arg(ap, const char *), 1);
		buf_puts(b, "\"");
	}
	buf_append(b, "", 1);
}

const char *
exposition_labels(struct exposition *x, ...)
{
	va_list ap;

	va_start(ap, x);
	put_labels(&x->labels, ap);
	va_end(ap);
	return x->labels.p;
}

/* A decimal number, without zeroes at its end; point: not without one. */
static void
put_number(struct buf *b, int64_t value, unsigned scale, int point)
{
	uint64_t n = value < 0 ? -(uint64_t)value : (uint64_t)value;
	unsigned part = (unsigned)(n % scale);

	buf_printf(b, "%s%" PRIu64, value < 0 ? "-" : "", n / scale);
	if (part == 0) {
		buf_puts(b, point ? ".0" : "");
		return;
	}
	buf_puts(b, ".");
	while (part > 0) {
		scale /= 10;
		buf_printf(b, "%u", part / scale);
		part %= scale;
	}
}

static void
put_sample(struct exposition *x, const char *end, const char *labels,
    int64_t value, unsigned scale)
{
	buf_printf(x->out, "%s%s", x->name.p, end);
	if (*labels != '\0')
		buf_printf(x->out, "{%s}", labels);
	buf_puts(x->out, " ");
	put_number(x->out, value, scale, 0);
	buf_puts(x->out, "\n");
}

void
exposition_value_of(struct exposition *x, int64_t value, unsigned scale,
    const char *labels)
{
	put_sample(x, x->type == EXPOSITION_COUNTER ? "_total" : "", labels,
	    value, scale);
}

void
exposition_value(struct exposition *x, int64_t value, unsigned scale, ...)
{
	va_list ap;

	va_start(ap, scale);
	put_labels(&x->labels, ap);
	va_end(ap);
	exposition_value_of(x, value, scale, x->labels.p);
}

static void
put_bucket(struct exposition *x, const char *labels,
    const struct exposition_bucket *b, unsigned scale, uint64_t n)
{
	buf_printf(x->out, "%s_bucket{%s%sle=\"", x->name.p, labels,
	    *labels != '\0' ? "," : "");
	if (b != NULL)
		put_number(x->out, b->bound, scale, x->openmetrics);
	else
		buf_puts(x->out, "+Inf");
	buf_printf(x->out, "\"} %" PRIu64 "\n", n);
}

void
exposition_histogram(struct exposition *x, const struct exposition_bucket *b,
    unsigned n, uint64_t rest, int64_t sum, unsigned scale, const char *labels)
{
	uint64_t all = 0;
	unsigned i;

	for (i = 0; i < n; i++) {
		all += b[i].n;
		put_bucket(x, labels, &b[i], scale, all);
	}
	put_bucket(x, labels, NULL, 1, all + rest);
	put_sample(x, "_sum", labels, sum, scale);
	put_sample(x, "_count", labels, (int64_t)(all + rest), 1);
}

void
exposition_end(struct exposition *x)
{
	if (x->openmetrics)
		buf_puts(x->out, "# EOF\n");
}

void
exposition_free(struct exposition *x)
{
	buf_free(&x->name);
	buf_free(&x->labels);
}
