/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration text: what it says, where, and every mistake in one run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "config/tree.h"

static struct conf_node *root;
static struct conf_errors errs;
static struct conf_error *last;

static int
setup(void **state)
{
	(void)state;
	root = conf_root_new();
	conf_errors_init(&errs);
	last = NULL;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	conf_node_free(root);
	conf_errors_free(&errs);
	return 0;
}

/* From memory of just that size: the text is not NUL-ended. */
static void
parse_n(const char *text, size_t n)
{
	char *copy = malloc(n > 0 ? n : 1);

	assert_non_null(copy);
	memcpy(copy, text, n);
	conf_parse(root, "t.conf", copy, n, &errs);
	free(copy);
}

static void
parse(const char *text)
{
	parse_n(text, strlen(text));
}

static void
no_errors(void)
{
	if (!TAILQ_EMPTY(&errs))
		fail_msg("unexpected: %s", TAILQ_FIRST(&errs)->text);
}

/* The next error, in the order they were found. */
static void
next_error(const char *want)
{
	last = last == NULL ? TAILQ_FIRST(&errs) : TAILQ_NEXT(last, entry);
	if (last == NULL)
		fail_msg("no such error: %s", want);
	assert_string_equal(last->text, want);
}

static void
last_error(const char *want)
{
	next_error(want);
	assert_null(TAILQ_NEXT(last, entry));
}

/* Name and line of the i-th child. */
static struct conf_node *
child(const struct conf_node *n, int i, const char *name, int line)
{
	struct conf_node *c = TAILQ_FIRST(&n->children);

	for (; i > 0 && c != NULL; i--)
		c = TAILQ_NEXT(c, entry);
	assert_non_null(c);
	assert_string_equal(c->name, name);
	assert_string_equal(c->pos.file, "t.conf");
	assert_int_equal(c->pos.line, line);
	return c;
}

static size_t
count(const struct conf_node *n)
{
	const struct conf_node *c;
	size_t k = 0;

	TAILQ_FOREACH (c, &n->children, entry)
		k++;
	return k;
}

static void
assert_value(const struct conf_node *n, const char *want)
{
	assert_false(n->is_block);
	assert_false(n->is_list);
	assert_int_equal(n->nvalues, 1);
	assert_string_equal(n->values[0].text, want);
}

static void
empty_texts(void **state)
{
	static const char *const texts[] = {"", "\n\n", " \t\r\n;;\n", "# x",
	    "# x\n", "//", "/**/", "/* a\n b */ // c"};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		parse(texts[i]);
		no_errors();
		assert_int_equal(count(root), 0);
	}
}

static void
keys_and_blocks(void **state)
{
	struct conf_node *n;

	(void)state;
	parse("a = 1\nb=2 ; c = x\n\npool \"web\" {\n\tworkers = 3\n}\n"
	      "http { x = y }\nroute / { }\n");
	no_errors();
	assert_int_equal(count(root), 6);
	assert_value(child(root, 0, "a", 1), "1");
	assert_value(child(root, 1, "b", 2), "2");
	assert_value(child(root, 2, "c", 2), "x");
	n = child(root, 3, "pool", 4);
	assert_true(n->is_block);
	assert_string_equal(n->title, "web");
	assert_value(child(n, 0, "workers", 5), "3");
	n = child(root, 4, "http", 7);
	assert_null(n->title);
	assert_value(child(n, 0, "x", 7), "y");
	n = child(root, 5, "route", 8);
	assert_string_equal(n->title, "/");
	assert_int_equal(count(n), 0);
}

static void
words(void **state)
{
	(void)state;
	parse("a = /etc/x.conf b = 10.0.0.1:80 c = *:80 d = a_b-c+d@e%f "
	      "e = -1");
	no_errors();
	assert_value(child(root, 0, "a", 1), "/etc/x.conf");
	assert_value(child(root, 1, "b", 1), "10.0.0.1:80");
	assert_value(child(root, 2, "c", 1), "*:80");
	assert_value(child(root, 3, "d", 1), "a_b-c+d@e%f");
	assert_value(child(root, 4, "e", 1), "-1");
}

static void
strings(void **state)
{
	(void)state;
	parse("a = \"\" b = \"x # y // z\" c = \"\\\"\\\\\\n\\t\\${A}\"\n"
	      "d = \"two\nlines\"\ne = \"\xc3\xa9\"");
	no_errors();
	assert_value(child(root, 0, "a", 1), "");
	assert_value(child(root, 1, "b", 1), "x # y // z");
	assert_value(child(root, 2, "c", 1), "\"\\\n\t${A}");
	assert_value(child(root, 3, "d", 2), "two\nlines");
	assert_value(child(root, 4, "e", 4), "\xc3\xa9");
}

static void
lists(void **state)
{
	struct conf_node *n;

	(void)state;
	parse("a = {}\nb = {\"x\", y,\n z}\nc = {x,}\n");
	no_errors();
	n = child(root, 0, "a", 1);
	assert_true(n->is_list);
	assert_int_equal(n->nvalues, 0);
	n = child(root, 1, "b", 2);
	assert_int_equal(n->nvalues, 3);
	assert_string_equal(n->values[0].text, "x");
	assert_int_equal(n->values[0].pos.line, 2);
	assert_string_equal(n->values[2].text, "z");
	assert_int_equal(n->values[2].pos.line, 3);
	assert_int_equal(child(root, 2, "c", 4)->nvalues, 1);
}

static void
comments_count_their_lines(void **state)
{
	(void)state;
	parse("a = 1 # one\n// two\n/* three\n four */ b = 2/* x */c = 3\n"
	      "d /* x */ = /* y\n */ 4// z\ne = 5");
	no_errors();
	assert_value(child(root, 0, "a", 1), "1");
	assert_value(child(root, 1, "b", 4), "2");
	assert_value(child(root, 2, "c", 4), "3");
	assert_value(child(root, 3, "d", 5), "4");
	assert_value(child(root, 4, "e", 7), "5");
}

static void
variables(void **state)
{
	(void)state;
	(void)setenv("TREE_A", "one", 1);
	(void)setenv("TREE_EMPTY", "", 1);
	(void)unsetenv("TREE_NONE");
	parse("a = \"${TREE_A}\" b = \"<${TREE_A}${TREE_EMPTY}>\"\n"
	      "c = \"${TREE_NONE:-two}\" d = \"${TREE_EMPTY:-three}\"\n"
	      "e = \"${TREE_NONE:-}\" f = \"$TREE_A $\" g = \"${TREE_A:-x}\"");
	no_errors();
	assert_value(child(root, 0, "a", 1), "one");
	assert_value(child(root, 1, "b", 1), "<one>");
	assert_value(child(root, 2, "c", 2), "two");
	assert_value(child(root, 3, "d", 2), "three");
	assert_value(child(root, 4, "e", 3), "");
	assert_value(child(root, 5, "f", 3), "$TREE_A $");
	assert_value(child(root, 6, "g", 3), "one");
	parse("h = \"${TREE_NONE}\"\ni = \"${TREE_A\"\nj = \"${}\"\n");
	next_error("t.conf:1: the environment variable TREE_NONE is not set; "
		   "set it, or write ${TREE_NONE:-default}");
	next_error("t.conf:2: \"${\" has no closing \"}\"");
	last_error("t.conf:3: the environment variable  is not set; set it, "
		   "or write ${:-default}");
}

static void
all_errors_in_one_run(void **state)
{
	(void)state;
	parse("a = ,\nb 1\nc = {x y}\n= 2\n\"d\" = 3\n}\ne = \"\\q\"\n"
	      "f = 'x'\ng = 7\n");
	next_error("t.conf:1: \"a\" has no value");
	next_error("t.conf:2: expected \"=\" or \"{\" after \"1\"");
	next_error("t.conf:3: the list \"c\" is not closed: expected \",\" or "
		   "\"}\"");
	next_error("t.conf:4: expected the name of a key or block");
	next_error("t.conf:5: expected the name of a key or block");
	next_error("t.conf:6: \"}\" closes nothing");
	next_error("t.conf:7: \"\\q\" means nothing here; write \"\\\\\" for "
		   "a backslash");
	next_error("t.conf:8: an unexpected byte (0x27); put the value in "
		   "quotes");
	assert_value(child(root, (int)count(root) - 1, "g", 9), "7");
}

/* Every byte of a text in the wrong quotes was told of. */
static void
a_line_of_bad_bytes_is_one_error(void **state)
{
	(void)state;
	parse("a = 'x y?' !\nb = $x$\n\x80\x81\x82\n");
	next_error("t.conf:1: an unexpected byte (0x27); put the value in "
		   "quotes");
	next_error("t.conf:1: \"a\" has no value");
	next_error("t.conf:2: an unexpected byte (0x24); put the value in "
		   "quotes");
	next_error("t.conf:2: \"b\" has no value");
	last_error("t.conf:3: an unexpected byte (0x80); put the value in "
		   "quotes");
}

static void
what_is_not_closed(void **state)
{
	(void)state;
	parse("a {\n b {\n  c = 1\n");
	next_error("t.conf:2: the block \"b\" is not closed by a \"}\"");
	last_error("t.conf:1: the block \"a\" is not closed by a \"}\"");
	parse("\n/* x\n\n");
	last_error("t.conf:2: this comment has no end");
	parse("a = {x,\n\n");
	last_error("t.conf:1: the list \"a\" is not closed: expected \",\" or "
		   "\"}\"");
	parse("\na = \"x\n\n");
	next_error("t.conf:2: this string has no closing \"");
	last_error("t.conf:2: \"a\" has no value");
}

/* A mistake inside a block does not swallow the block's end. */
static void
goes_on_behind_a_mistake(void **state)
{
	struct conf_node *n;

	(void)state;
	parse("a {\n\tx y z }\nb { ? }\nc { d = }\ne = 1\n");
	assert_int_equal(count(root), 4);
	n = child(root, 0, "a", 1);
	assert_int_equal(count(n), 0);
	(void)child(root, 1, "b", 3);
	(void)child(root, 2, "c", 4);
	assert_value(child(root, 3, "e", 5), "1");
	next_error("t.conf:2: expected \"=\" or \"{\" after \"y\"");
	next_error("t.conf:3: an unexpected byte (0x3f); put the value in "
		   "quotes");
	last_error("t.conf:4: \"d\" has no value");
}

/* It took the next key for its value. */
static void
a_missing_value_leaves_the_next_key(void **state)
{
	(void)state;
	parse("a =\nb = 1\nc = # x\n\td\t=\t2\ne =\nf\n");
	assert_int_equal(count(root), 5);
	assert_value(child(root, 1, "b", 2), "1");
	assert_value(child(root, 3, "d", 4), "2");
	assert_value(child(root, 4, "e", 5), "f");
	next_error("t.conf:1: \"a\" has no value");
	last_error("t.conf:3: \"c\" has no value");
}

/* The end of a broken list was taken for the end of the block around it. */
static void
a_broken_list_ends_itself(void **state)
{
	struct conf_node *n;

	(void)state;
	parse("a {\n\tl = {x y}\n\tb = 1\n}\nc = 2\n");
	n = child(root, 0, "a", 1);
	(void)child(n, 0, "l", 2);
	assert_value(child(n, 1, "b", 3), "1");
	assert_value(child(root, 1, "c", 5), "2");
	last_error("t.conf:2: the list \"l\" is not closed: expected \",\" or "
		   "\"}\"");
}

static void
bytes_that_are_no_text(void **state)
{
	(void)state;
	parse_n("a = \"x\0y\"\n", 10);
	next_error("t.conf:1: a NUL byte");
	conf_errors_free(&errs);
	last = NULL;
	parse_n("\n\0 = 1\n", 7);
	last_error("t.conf:2: a control byte (0x00)");
}

/* What an error quotes cannot play with the terminal that shows it. */
static void
errors_are_printable(void **state)
{
	struct conf_pos pos = {"t.conf", 7};
	char text[4096];

	(void)state;
	conf_error(&errs, &pos, "%s", "a\x1b[2J\nb\x7f\xc3\xa9");
	next_error("t.conf:7: a\\x1b[2J\\x0ab\\x7f\xc3\xa9");
	conf_error(&errs, NULL, "no place");
	last_error("no place");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	conf_error(&errs, NULL, "%s", text);
	assert_true(strlen(TAILQ_NEXT(last, entry)->text) > 500);
}

static void
depth_is_bounded(void **state)
{
	struct buf b = {NULL, 0, 0};
	int i;

	(void)state;
	for (i = 0; i < 16; i++)
		buf_puts(&b, "a {\n");
	for (i = 0; i < 16; i++)
		buf_puts(&b, "}\n");
	parse_n(b.p, b.len);
	no_errors();
	b.len = 0;
	for (i = 0; i < 100000; i++)
		buf_puts(&b, "a {\n");
	parse_n(b.p, b.len);
	buf_free(&b);
	next_error("t.conf:17: blocks are nested too deeply");
}

static void
files_add_up(void **state)
{
	struct conf_node *n;

	(void)state;
	conf_parse(root, "t.conf", "a = 1", 5, &errs);
	conf_parse(root, "u.conf", "\nb = 2", 6, &errs);
	no_errors();
	(void)child(root, 0, "a", 1);
	n = TAILQ_NEXT(TAILQ_FIRST(&root->children), entry);
	assert_string_equal(n->pos.file, "u.conf");
	assert_int_equal(n->pos.line, 2);
	assert_ptr_equal(n->pos.file, conf_intern("u.conf"));
	assert_ptr_not_equal(n->pos.file, conf_intern("t.conf"));
}

/* Every beginning of a good text ends, with an error or without. */
static void
any_beginning(void **state)
{
	static const char text[] =
	    "a = \"x${TREE_A:-y}\\n\" /* c */\n"
	    "b { c = {d, \"e\"} f \"g\" { h = 1 } } // i";
	size_t n;

	(void)state;
	for (n = 0; n <= sizeof(text) - 1; n++)
		parse_n(text, n);
	assert_true(count(root) > 50);
	assert_false(TAILQ_EMPTY(&errs));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    T(empty_texts),
	    T(keys_and_blocks),
	    T(words),
	    T(strings),
	    T(lists),
	    T(comments_count_their_lines),
	    T(variables),
	    T(all_errors_in_one_run),
	    T(a_line_of_bad_bytes_is_one_error),
	    T(what_is_not_closed),
	    T(goes_on_behind_a_mistake),
	    T(a_missing_value_leaves_the_next_key),
	    T(a_broken_list_ends_itself),
	    T(bytes_that_are_no_text),
	    T(errors_are_printable),
	    T(depth_is_bounded),
	    T(files_add_up),
	    T(any_beginning),
	};

	return cmocka_run_group_tests_name("tree", tests, NULL, NULL);
}
