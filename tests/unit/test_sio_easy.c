/* SPDX-License-Identifier: BSD-2-Clause */
/* The short ways to Socket.IO: what they make of their letters, for whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <hostd/socketio_easy.h>

struct hostd_inst {
	HOSTD_SIO_EASY_HEAD;
};

/* What was sent last. */
static struct {
	char text[512];
	uint32_t nbins;
	hostd_buf bin;
	uint64_t ack;
	struct hostd_sio_to to;
	uint32_t timeout_ms;
} sent;

static hostd_buf
text(const char *s)
{
	return (hostd_buf){ s, strlen(s) };
}

static void
note(hostd_buf name, const struct hostd_sio_args *args)
{
	size_t n;
	uint32_t i;

	n = (size_t)snprintf(sent.text, sizeof(sent.text), "%.*s",
	    (int)name.n, (const char *)name.p);
	for (i = 0; i < args->n; i++) {
		assert_true(hostd_json_ok(args->v[i]));
		n += (size_t)snprintf(sent.text + n, sizeof(sent.text) - n,
		    " %.*s", (int)args->v[i].n, (const char *)args->v[i].p);
	}
	sent.nbins = args->nbins;
	if (args->nbins > 0)
		sent.bin = args->bins[args->nbins - 1];
}

static int32_t
emit(const struct hostd_sio_api *api, hostd_sio s, uint32_t flags,
    hostd_buf name, const struct hostd_sio_args *args)
{
	(void)api, (void)s, (void)flags;
	note(name, args);
	return HOSTD_OK;
}

static int32_t
ack(const struct hostd_sio_api *api, hostd_sio_ack a,
    const struct hostd_sio_args *args)
{
	(void)api;
	sent.ack = a.id;
	note(text("ack"), args);
	return HOSTD_OK;
}

static int32_t
broadcast(const struct hostd_sio_api *api, const struct hostd_sio_to *to,
    hostd_buf name, const struct hostd_sio_args *args)
{
	(void)api;
	sent.to = *to;
	note(name, args);
	return HOSTD_AGAIN;
}

static int32_t
ask_all(const struct hostd_sio_api *api, const struct hostd_sio_to *to,
    hostd_buf name, const struct hostd_sio_args *args, uint32_t timeout_ms,
    void (*each)(struct hostd_inst *, void *, const struct hostd_sio_args *),
    void (*done)(struct hostd_inst *, void *, int32_t, uint32_t, uint32_t),
    void *arg)
{
	sent.timeout_ms = timeout_ms;
	assert_null(each);
	done(NULL, arg, HOSTD_OK, 1, 1);
	return broadcast(api, to, name, args);
}

static const struct hostd_sio_api api = {
	.struct_size = sizeof(api), .emit = emit, .ack = ack,
	.broadcast = broadcast, .ask_all = ask_all
};
static struct hostd_inst in = { .sio = &api };
static const hostd_sio someone = { 7 };

static void
each_letter(void **state)
{
	int64_t big = INT64_MIN;

	(void)state;
	assert_int_equal(HOSTD_OK, hostd_sio_emitf(&in, someone, "all",
	    "sbiIdttnj", "a\"", text("b"), -1, big, 0.5, 1, 0, text("[1]")));
	assert_string_equal(sent.text, "all \"a\\\"\" \"b\" -1 "
	    "-9223372036854775808 0.5 true false null [1]");
	assert_int_equal(HOSTD_OK, hostd_sio_emitf(&in, someone, "none",
	    "sj", NULL, hostd_str(NULL)));
	assert_string_equal(sent.text, "none null null");
	assert_int_equal(HOSTD_OK, hostd_sio_emitf(&in, someone, "e", ""));
	assert_string_equal(sent.text, "e");
	assert_int_equal(HOSTD_E_INVAL, hostd_sio_emitf(&in, someone, "e",
	    "s?", ""));
	assert_int_equal(HOSTD_E_INVAL, hostd_sio_emitf(&in, someone, "e",
	    "nnnnnnnnnnnnnnnnn"));
}

static void
arguments_go_on_as_they_came(void **state)
{
	hostd_buf v[] = { text("{\"b\":{\"_placeholder\":true,\"num\":0}}"),
		text("2") };
	hostd_buf bins[] = { { "\0\1", 2 } };
	struct hostd_sio_args args = { .struct_size = sizeof(args), .n = 2,
		.v = v, .bins = bins, .nbins = 1 }, none = { .n = 0 };
	struct hostd_sio_event ev = { .args = &args },
	    other = { .args = &none };

	(void)state;
	assert_int_equal(HOSTD_OK, hostd_sio_emitf(&in, someone, "on", "aaas",
	    &ev, 0, &ev, 1, &ev, 2, "x"));
	assert_string_equal(sent.text,
	    "on {\"b\":{\"_placeholder\":true,\"num\":0}} 2 null \"x\"");
	assert_int_equal(1, sent.nbins);
	assert_ptr_equal(bins[0].p, sent.bin.p);
	assert_int_equal(HOSTD_OK, hostd_sio_emitf(&in, someone, "own", "Ba",
	    text("xyz"), &other, 0));
	assert_string_equal(sent.text,
	    "own {\"_placeholder\":true,\"num\":0} null");
	assert_int_equal(3, sent.bin.n);
	/* Two lists of attachments can't be one. */
	assert_int_equal(HOSTD_E_INVAL, hostd_sio_emitf(&in, someone, "e",
	    "aB", &ev, 0, bins[0]));
	assert_int_equal(HOSTD_E_INVAL, hostd_sio_emitf(&in, someone, "e",
	    "Ba", bins[0], &ev, 0));
}

static void
acknowledged_later(void **state)
{
	hostd_sio_ack nobody = { 0 }, somebody = { 5 };

	(void)state;
	sent.ack = 0;
	assert_int_equal(HOSTD_OK, hostd_sio_ack_laterf(&in, nobody, "?"));
	assert_int_equal(0, sent.ack);
	assert_int_equal(HOSTD_OK, hostd_sio_ack_laterf(&in, somebody, "i",
	    3));
	assert_int_equal(5, sent.ack);
	assert_string_equal(sent.text, "ack 3");
}

static void
count(struct hostd_inst *inst, void *arg, int32_t status, uint32_t asked,
    uint32_t answered)
{
	(void)inst, (void)status, (void)asked, (void)answered;
	++*(int *)arg;
}

static void
to_whom(void **state)
{
	hostd_buf rooms[] = { text("a"), text("b") };
	struct hostd_sio_to to = { .struct_size = sizeof(to),
		.flags = HOSTD_SIO_VOLATILE, .nsp = text("/n"),
		.rooms = rooms, .nrooms = 2, .but = someone };
	int n = 0;

	(void)state;
	assert_int_equal(HOSTD_AGAIN, hostd_sio_broadcastf(&in, &to, "at",
	    "ii", 1, 2));
	assert_string_equal(sent.text, "at 1 2");
	assert_memory_equal(&to, &sent.to, sizeof(to));
	assert_int_equal(HOSTD_AGAIN, hostd_sio_ask_allf(&in, &to, 900, NULL,
	    count, &n, "there", "s", "x"));
	assert_string_equal(sent.text, "there \"x\"");
	assert_int_equal(900, sent.timeout_ms);
	assert_int_equal(1, n);
	assert_int_equal(HOSTD_E_INVAL, hostd_sio_ask_allf(&in, &to, 900,
	    NULL, count, &n, "there", "?"));
	assert_int_equal(1, n);
	assert_int_equal(HOSTD_AGAIN, hostd_sio_in_room(&in, "/n", "r", "m",
	    "n"));
	assert_int_equal(1, sent.to.nrooms);
	assert_int_equal(HOSTD_AGAIN, hostd_sio_all(&in, "/n", "m", "n"));
	assert_int_equal(0, sent.to.nrooms);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_letter),
		cmocka_unit_test(arguments_go_on_as_they_came),
		cmocka_unit_test(acknowledged_later),
		cmocka_unit_test(to_whom),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
