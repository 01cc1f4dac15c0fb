/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/buf.h"
#include "base/map.h"
#include "base/mem.h"
#include "config/tree.h"

#define MAX_DEPTH	16

enum token_type { TOK_END, TOK_WORD, TOK_STRING, TOK_PUNCT, TOK_BAD };

struct token {
	enum token_type type;
	char punct;		/* PUNCT */
	char *text;		/* WORD, STRING; the parser's to free */
	struct conf_pos pos;
};

struct parser {
	const char *p, *end;
	struct conf_pos pos;
	struct conf_errors *errs;
	struct token tok;	/* the one looked at */
	int depth;
	int bad_line;		/* the last one with a byte that is no text */
};

/* -- errors -- */

void
conf_errors_init(struct conf_errors *errs)
{
	TAILQ_INIT(errs);
}

/* Names and values come from files: what could confuse a terminal is shown
 * as an escape. */
static char *
printable(const char *s)
{
	struct buf b = { NULL, 0, 0 };

	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			buf_printf(&b, "\\x%02x", (unsigned char)*s);
		else
			buf_append(&b, s, 1);
	buf_append(&b, "", 1);
	return b.p;
}

void
conf_error(struct conf_errors *errs, const struct conf_pos *pos,
    const char *fmt, ...)
{
	struct conf_error *e = xcalloc(1, sizeof(*e));
	char text[1024];
	char *clean;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	clean = printable(text);
	e->text = pos == NULL || pos->file == NULL ? xstrdup(clean) :
	    xasprintf("%s:%d: %s", pos->file, pos->line, clean);
	free(clean);
	TAILQ_INSERT_TAIL(errs, e, entry);
}

void
conf_errors_free(struct conf_errors *errs)
{
	struct conf_error *e;

	while ((e = TAILQ_FIRST(errs)) != NULL) {
		TAILQ_REMOVE(errs, e, entry);
		free(e->text);
		free(e);
	}
}

/* Positions outlive the tree they are in: file names are kept for good. */
const char *
conf_intern(const char *name)
{
	static struct map names;
	char *known = map_get(&names, name, strlen(name));

	if (known == NULL) {
		known = xstrdup(name);
		map_put(&names, name, strlen(name), known);
	}
	return known;
}

/* -- tokens -- */

static int
is_word_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	    (c >= 'A' && c <= 'Z') || (c != '\0' &&
	    strchr("_./:*+@%-", c) != NULL);
}

static int
starts(const struct parser *ps, const char *s)
{
	size_t n = strlen(s);

	return (size_t)(ps->end - ps->p) >= n && memcmp(ps->p, s, n) == 0;
}

static void
skip_line(struct parser *ps)
{
	while (ps->p < ps->end && *ps->p != '\n')
		ps->p++;
}

static void
skip_comment(struct parser *ps)
{
	struct conf_pos start = ps->pos;

	for (ps->p += 2; ps->p < ps->end && !starts(ps, "*/"); ps->p++)
		if (*ps->p == '\n')
			ps->pos.line++;
	if (ps->p == ps->end)
		conf_error(ps->errs, &start, "this comment has no end");
	else
		ps->p += 2;
}

static void
skip_blank(struct parser *ps)
{
	for (; ps->p < ps->end; ps->p++) {
		if (*ps->p == '\n')
			ps->pos.line++;
		else if (*ps->p == '#' || starts(ps, "//")) {
			skip_line(ps);
			ps->p--;
		} else if (starts(ps, "/*")) {
			skip_comment(ps);
			ps->p--;
		} else if (*ps->p != ' ' && *ps->p != '\t' &&
		    *ps->p != '\r' && *ps->p != ';')
			break;
	}
}

/* ${NAME} or ${NAME:-default}; p is behind "${". */
static void
put_variable(struct parser *ps, struct buf *b)
{
	const char *start = ps->p, *value, *dflt;
	char *name;

	while (ps->p < ps->end && *ps->p != '}' && *ps->p != '"' &&
	    *ps->p != '\n')
		ps->p++;
	if (ps->p == ps->end || *ps->p != '}') {
		conf_error(ps->errs, &ps->pos, "\"${\" has no closing \"}\"");
		return;
	}
	name = xstrndup(start, (size_t)(ps->p - start));
	ps->p++;
	if ((dflt = strstr(name, ":-")) != NULL) {
		name[dflt - name] = '\0';
		dflt += 2;
	}
	if ((value = getenv(name)) == NULL || (*value == '\0' && dflt != NULL))
		value = dflt;
	if (value == NULL)
		conf_error(ps->errs, &ps->pos, "the environment variable %s "
		    "is not set; set it, or write ${%s:-default}", name, name);
	else
		buf_puts(b, value);
	free(name);
}

static void
put_escape(struct parser *ps, struct buf *b)
{
	char c = ps->p < ps->end ? *ps->p++ : '\0';

	switch (c) {
	case 'n':
		buf_append(b, "\n", 1);
		break;
	case 't':
		buf_append(b, "\t", 1);
		break;
	case '"':
	case '\\':
	case '$':
		buf_append(b, &c, 1);
		break;
	default:
		conf_error(ps->errs, &ps->pos,
		    "\"\\%c\" means nothing here; write \"\\\\\" for a "
		    "backslash", c);
	}
}

static enum token_type
read_string(struct parser *ps, struct buf *b)
{
	struct conf_pos start = ps->pos;
	char c;

	for (ps->p++; ps->p < ps->end && *ps->p != '"';) {
		if (starts(ps, "${")) {
			ps->p += 2;
			put_variable(ps, b);
			continue;
		}
		c = *ps->p++;
		if (c == '\\') {
			put_escape(ps, b);
			continue;
		}
		if (c == '\0') {
			conf_error(ps->errs, &ps->pos, "a NUL byte");
			return TOK_BAD;
		}
		if (c == '\n')
			ps->pos.line++;
		buf_append(b, &c, 1);
	}
	if (ps->p == ps->end) {
		conf_error(ps->errs, &start, "this string has no closing \"");
		return TOK_BAD;
	}
	ps->p++;
	return TOK_STRING;
}

static enum token_type
read_word(struct parser *ps, struct buf *b)
{
	while (ps->p < ps->end && is_word_char(*ps->p) && !starts(ps, "//") &&
	    !starts(ps, "/*"))
		buf_append(b, ps->p++, 1);
	return TOK_WORD;
}

/* A byte that nothing begins with; one of a line is enough to tell of. */
static void
read_bad(struct parser *ps)
{
	unsigned char c = (unsigned char)*ps->p++;

	if (ps->bad_line != ps->pos.line)
		conf_error(ps->errs, &ps->pos, c < 0x20 ?
		    "a control byte (0x%02x)" : "an unexpected byte (0x%02x); "
		    "put the value in quotes", c);
	ps->bad_line = ps->pos.line;
}

static void
next_token(struct parser *ps)
{
	struct buf b = { NULL, 0, 0 };
	struct token *t = &ps->tok;

	free(t->text);
	memset(t, 0, sizeof(*t));
	skip_blank(ps);
	t->pos = ps->pos;
	if (ps->p == ps->end)
		return;
	if (*ps->p == '"')
		t->type = read_string(ps, &b);
	else if (is_word_char(*ps->p))
		t->type = read_word(ps, &b);
	else if (strchr("={},", *ps->p) != NULL && *ps->p != '\0') {
		t->type = TOK_PUNCT;
		t->punct = *ps->p++;
	} else {
		t->type = TOK_BAD;
		read_bad(ps);
	}
	buf_append(&b, "", 1);
	t->text = b.p;
}

static int
is_punct(const struct parser *ps, char c)
{
	return ps->tok.type == TOK_PUNCT && ps->tok.punct == c;
}

static int
is_text(const struct parser *ps)
{
	return ps->tok.type == TOK_WORD || ps->tok.type == TOK_STRING;
}

static char *
take_text(struct parser *ps)
{
	char *text = ps->tok.text;

	ps->tok.text = NULL;
	next_token(ps);
	return text;
}

/* -- the tree -- */

static struct conf_node *
node_new(struct conf_pos pos, char *name)
{
	struct conf_node *n = xcalloc(1, sizeof(*n));

	n->pos = pos;
	n->name = name;
	TAILQ_INIT(&n->children);
	return n;
}

struct conf_node *
conf_root_new(void)
{
	struct conf_pos nowhere = { NULL, 0 };
	struct conf_node *n = node_new(nowhere, xstrdup(""));

	n->is_block = 1;
	return n;
}

void
conf_node_free(struct conf_node *n)
{
	struct conf_node *c;
	size_t i;

	while ((c = TAILQ_FIRST(&n->children)) != NULL) {
		TAILQ_REMOVE(&n->children, c, entry);
		conf_node_free(c);
	}
	for (i = 0; i < n->nvalues; i++)
		free(n->values[i].text);
	free(n->values);
	free(n->name);
	free(n->title);
	free(n);
}

static void
add_value(struct parser *ps, struct conf_node *n)
{
	n->values = xrealloc(n->values, (n->nvalues + 1) * sizeof(*n->values));
	n->values[n->nvalues].pos = ps->tok.pos;
	n->values[n->nvalues++].text = take_text(ps);
}

/* After a mistake: go on behind the line it is in. */
static void
resume(struct parser *ps, int line)
{
	while (ps->tok.type != TOK_END && ps->tok.pos.line <= line &&
	    !is_punct(ps, '}'))
		next_token(ps);
}

static void
parse_list(struct parser *ps, struct conf_node *n)
{
	int line;

	n->is_list = 1;
	next_token(ps);
	while (is_text(ps)) {
		add_value(ps, n);
		if (!is_punct(ps, ','))
			break;
		next_token(ps);
	}
	if (!is_punct(ps, '}')) {
		line = ps->tok.pos.line;
		conf_error(ps->errs, &n->pos, "the list \"%s\" is not closed: "
		    "expected \",\" or \"}\"", n->name);
		resume(ps, line);
		if (!is_punct(ps, '}') || ps->tok.pos.line != line)
			return;
		/* The list's own, not that of the block it is in. */
	}
	next_token(ps);
}

/* Is the word looked at, on a line of its own, the next key? */
static int
is_next_key(const struct parser *ps, int line)
{
	const char *p = ps->p;

	while (p < ps->end && (*p == ' ' || *p == '\t'))
		p++;
	return ps->tok.type == TOK_WORD && ps->tok.pos.line != line &&
	    p < ps->end && *p == '=';
}

static void
parse_value(struct parser *ps, struct conf_node *n)
{
	int line = ps->tok.pos.line;

	next_token(ps);
	if (is_punct(ps, '{'))
		parse_list(ps, n);
	else if (is_text(ps) && !is_next_key(ps, line))
		add_value(ps, n);
	else {
		conf_error(ps->errs, &n->pos, "\"%s\" has no value", n->name);
		resume(ps, n->pos.line);
	}
}

static void	parse_statements(struct parser *, struct conf_node *);

static void
parse_block(struct parser *ps, struct conf_node *n)
{
	n->is_block = 1;
	if (++ps->depth > MAX_DEPTH) {
		conf_error(ps->errs, &n->pos, "blocks are nested too deeply");
		ps->p = ps->end;
	}
	next_token(ps);
	parse_statements(ps, n);
	ps->depth--;
	if (is_punct(ps, '}'))
		next_token(ps);
	else
		conf_error(ps->errs, &n->pos, "the block \"%s\" is not closed "
		    "by a \"}\"", n->name);
}

static void
parse_statement(struct parser *ps, struct conf_node *parent)
{
	struct conf_pos pos = ps->tok.pos;
	struct conf_node *n = node_new(pos, take_text(ps));

	TAILQ_INSERT_TAIL(&parent->children, n, entry);
	if (is_punct(ps, '=')) {
		parse_value(ps, n);
		return;
	}
	if (is_text(ps) && ps->tok.pos.line == pos.line)
		n->title = take_text(ps);
	if (is_punct(ps, '{')) {
		parse_block(ps, n);
		return;
	}
	conf_error(ps->errs, &pos, "expected \"=\" or \"{\" after \"%s\"",
	    n->title != NULL ? n->title : n->name);
	TAILQ_REMOVE(&parent->children, n, entry);
	conf_node_free(n);
	resume(ps, pos.line);
}

static void
parse_statements(struct parser *ps, struct conf_node *parent)
{
	while (ps->tok.type != TOK_END) {
		if (ps->tok.type == TOK_WORD) {
			parse_statement(ps, parent);
			continue;
		}
		if (is_punct(ps, '}')) {
			if (ps->depth > 0)
				return;
			conf_error(ps->errs, &ps->tok.pos,
			    "\"}\" closes nothing");
			next_token(ps);
			continue;
		}
		if (ps->tok.type != TOK_BAD)
			conf_error(ps->errs, &ps->tok.pos,
			    "expected the name of a key or block");
		resume(ps, ps->tok.pos.line);
		if (is_punct(ps, '}') && ps->depth > 0)
			return;
	}
}

void
conf_parse(struct conf_node *root, const char *file, const char *text,
    size_t len, struct conf_errors *errs)
{
	struct parser ps = { .p = text, .end = text + len, .errs = errs };

	ps.pos.file = conf_intern(file);
	ps.pos.line = 1;
	next_token(&ps);
	parse_statements(&ps, root);
	free(ps.tok.text);
}
