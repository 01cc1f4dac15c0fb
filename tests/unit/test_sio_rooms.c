/* SPDX-License-Identifier: BSD-2-Clause */
/* Namespaces, rooms, and whom a broadcast means. */
#include "sio_case.h"

static uint32_t
select_in(const char *nsp, const char *rooms, const char *except,
    struct sio_socket ***out)
{
	hostd_buf in_rooms[8], not_in[8];
	struct hostd_sio_to to = {
		.struct_size = sizeof(to),
		.rooms = in_rooms,
		.except = not_in,
	};
	int64_t n;

	for (; *rooms != '\0'; rooms += in_rooms[to.nrooms++].n) {
		rooms += *rooms == ' ';
		in_rooms[to.nrooms].p = rooms;
		in_rooms[to.nrooms].n = strcspn(rooms, " ");
	}
	for (; *except != '\0'; except += not_in[to.nexcept++].n) {
		except += *except == ' ';
		not_in[to.nexcept].p = except;
		not_in[to.nexcept].n = strcspn(except, " ");
	}
	n = space_select(space_find(in, hostd_str(nsp)), &to, out);
	assert_true(n >= 0);
	return (uint32_t)n;
}

static uint32_t
count(const char *rooms, const char *except)
{
	struct sio_socket **out;

	return select_in("/", rooms, except, &out);
}

static void
join(struct sio_socket *s, const char *room)
{
	assert_int_equal(socket_join(s, hostd_str(room)), HOSTD_OK);
}

static void
assert_rooms(const struct sio_socket *s, const char *want)
{
	char got[256] = "";
	hostd_buf names[16];
	uint32_t i, n = socket_rooms(s, names, 16);

	for (i = 0; i < n; i++) {
		if (i > 0)
			strcat(got, " ");
		strncat(got, names[i].p, names[i].n);
	}
	assert_string_equal(got, want);
}

static void
a_union_has_everybody_once(void **state)
{
	struct sio_socket *a = enter("/"), *b = enter("/"), *c = enter("/");

	(void)state;
	join(a, "x");
	join(b, "x");
	join(b, "y");
	join(c, "y");
	assert_int_equal(count("", ""), 3);
	assert_int_equal(count("x y", ""), 3);
	assert_int_equal(count("x", ""), 2);
	assert_int_equal(count("x", "y"), 1);
	assert_int_equal(count("x y", "x y"), 0);
	assert_int_equal(count("", "x"), 1);
	assert_int_equal(count("none", ""), 0);
	assert_int_equal(count(a->id, ""), 1);
	assert_int_equal(count("", c->id), 2);
	assert_int_equal(count("y", c->id), 1);
}

static void
but_one_is_not_meant(void **state)
{
	struct sio_socket *a = enter("/"), **out;
	struct hostd_sio_to to = { .struct_size = sizeof(to) };

	(void)state;
	(void)enter("/");
	to.but.id = a->handle;
	assert_int_equal(space_select(a->space, &to, &out), 1);
	assert_ptr_not_equal(out[0], a);
	assert_int_equal(space_send(a->space, &to, NULL), 1);
	to.but.id = 0;
	assert_int_equal(space_send(a->space, &to, NULL), 2);
	assert_int_equal(session.sent, 3);
}

static void
who_connects_or_has_gone_is_not_meant(void **state)
{
	struct sio_socket *a = enter("/"), *b;

	(void)state;
	b = socket_new(&client, a->space, hostd_str("{}"));
	join(b, "x");
	join(a, "x");
	assert_int_equal(count("x", ""), 1);
	assert_int_equal(count("", ""), 1);
	assert_int_equal(socket_enter(b), 0);
	assert_int_equal(count("x", ""), 2);
	a->state = SOCKET_GONE;
	assert_int_equal(count("x", ""), 1);
	assert_int_equal(count("", ""), 1);
}

static void
a_room_is_there_while_it_has_members(void **state)
{
	struct sio_socket *a = enter("/"), *b = enter("/");

	(void)state;
	join(a, "x");
	join(a, "x");
	join(b, "x");
	socket_leave(a, hostd_str("x"));
	socket_leave(a, hostd_str("x"));
	assert_string_equal(told, "open /;on / x;");
	socket_leave(b, hostd_str("x"));
	assert_string_equal(told, "open /;on / x;off / x;");
	assert_null(room_next(a->space, NULL));
}

static void
rooms_of_one_are_left_in_any_order(void **state)
{
	struct sio_socket *a = enter("/"), *b = enter("/");
	char want[128];

	(void)state;
	join(a, "1");
	join(a, "2");
	join(a, "3");
	join(b, "1");
	join(b, "3");
	socket_leave(a, hostd_str("1"));
	(void)snprintf(want, sizeof(want), "%s 3 2", a->id);
	assert_rooms(a, want);
	socket_leave(a, hostd_str("3"));
	assert_int_equal(count("3", ""), 1);
	assert_true(socket_is_in(b, hostd_str("3")));
	assert_true(socket_is_in(a, hostd_str("2")));
	socket_leave_all(a);
	assert_int_equal(count("", ""), 1);
	assert_int_equal(count("2", ""), 0);
	assert_int_equal(count("1 2 3", ""), 1);
}

static void
the_room_of_an_id_can_be_joined_and_left(void **state)
{
	struct sio_socket *a = enter("/"), *b = enter("/");
	char want[128];

	(void)state;
	assert_true(socket_is_in(a, hostd_str(a->id)));
	assert_null(room_next(a->space, NULL));
	join(b, a->id);
	assert_int_equal(count(a->id, ""), 2);
	(void)snprintf(want, sizeof(want), "%s %s", b->id, a->id);
	assert_rooms(b, want);
	assert_rooms(a, a->id);
	socket_leave(a, hostd_str(a->id));
	assert_false(socket_is_in(a, hostd_str(a->id)));
	assert_int_equal(count(a->id, ""), 1);
	assert_rooms(a, "");
	join(a, a->id);
	assert_int_equal(count(a->id, ""), 2);
	socket_leave(b, hostd_str(a->id));
	assert_int_equal(count(a->id, ""), 1);
	socket_leave(a, hostd_str(a->id));
	assert_int_equal(count(a->id, ""), 0);
	join(a, a->id);
	assert_int_equal(count(a->id, ""), 1);
}

static void
who_comes_finds_the_room_of_its_id(void **state)
{
	struct sio_socket *a = enter("/"), *b;

	(void)state;
	b = socket_new(&client, a->space, hostd_str(NULL));
	join(a, b->id);
	assert_int_equal(count(b->id, ""), 1);
	assert_int_equal(socket_enter(b), 0);
	assert_int_equal(count(b->id, ""), 2);
	assert_rooms(b, b->id);
}

static void
names_and_numbers_have_bounds(void **state)
{
	struct sio_socket *a = enter("/");
	char name[HOSTD_SIO_ROOM_MAX + 2];
	int i;

	(void)state;
	memset(name, 'x', sizeof(name));
	name[HOSTD_SIO_ROOM_MAX + 1] = '\0';
	assert_int_equal(socket_join(a, hostd_str(name)), HOSTD_E_INVAL);
	assert_int_equal(socket_join(a, hostd_str("")), HOSTD_E_INVAL);
	for (i = 8; i > 0; i--) {
		name[i] = '\0';
		join(a, name);
	}
	assert_int_equal(socket_join(a, hostd_str("more")), HOSTD_E_FULL);
	socket_leave(a, hostd_str("x"));
	join(a, "more");
}

static void
marks_begin_again(void **state)
{
	struct sio_socket *a = enter("/"), *b = enter("/");

	(void)state;
	a->space->mark = UINT32_MAX - 1;
	join(a, "x");
	assert_int_equal(count("x", ""), 1);
	b->mark = 1;
	assert_int_equal(count("", ""), 2);
	assert_int_equal(a->space->mark, 1);
	assert_int_equal(count("x", ""), 1);
	assert_int_equal(count("", "x"), 1);
}

static void
a_child_ends_with_its_last_socket(void **state)
{
	struct sio_socket *a, *b;

	(void)state;
	assert_null(space_get(in, hostd_str("/other")));
	a = enter("/room-1");
	b = enter("/room-1");
	socket_free(a);
	assert_non_null(space_find(in, hostd_str("/room-1")));
	socket_free(b);
	assert_null(space_find(in, hostd_str("/room-1")));
	assert_string_equal(told, "open /room-1;close /room-1;");
	socket_free(enter("/"));
	assert_non_null(space_find(in, hostd_str("/")));
}

static void
handles_become_stale(void **state)
{
	struct sio_socket *a = enter("/");
	uint64_t handle = a->handle;

	(void)state;
	assert_ptr_equal(socket_of(in, handle), a);
	assert_int_equal(strlen(a->id), SOCKET_ID_LEN);
	assert_ptr_equal(socket_find(a->space, hostd_str(a->id)), a);
	socket_free(a);
	assert_null(socket_of(in, handle));
	a = enter("/");
	assert_null(socket_of(in, handle));
	assert_null(socket_of(in, 0));
	assert_null(socket_of(in, UINT64_MAX));
}

static void
clients_of_socket_io_2_know_their_ids(void **state)
{
	struct sio_socket *a, *b;

	(void)state;
	strcpy(session.id, "123456789012345678901234");
	client.revision = 3;
	a = enter("/");
	b = enter("/room-1");
	assert_string_equal(a->id, "123456789012345678901234");
	assert_string_equal(b->id, "/room-1#123456789012345678901234");
	assert_ptr_equal(socket_find(b->space, hostd_str(b->id)), b);
	assert_rooms(b, b->id);
	assert_int_equal(count(a->id, ""), 1);
	/* Another one of the same client has to wait until it has gone. */
	a = socket_new(&client, b->space, hostd_str(""));
	assert_non_null(a);
	assert_int_equal(socket_enter(a), -1);
	socket_free(b);
	assert_int_equal(socket_enter(a), 0);
	client.revision = 4;
}

/* Against a list that is looked through. */
static void
many_joins_and_leaves_agree_with_a_model(void **state)
{
	static unsigned char model[40][6];
	struct sio_socket *s[40];
	unsigned i, r, n, step;
	char name[2] = "a";
	uint64_t x = 88172645463325252u;

	(void)state;
	memset(model, 0, sizeof(model));
	for (i = 0; i < 40; i++)
		s[i] = enter("/");
	for (step = 0; step < 4000; step++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		i = (unsigned)(x % 40);
		r = (unsigned)(x >> 20) % 6;
		name[0] = (char)('a' + r);
		if ((x >> 40) % 2 == 0) {
			join(s[i], name);
			model[i][r] = 1;
		} else {
			socket_leave(s[i], hostd_str(name));
			model[i][r] = 0;
		}
		for (n = i = 0; i < 40; i++)
			n += model[i][r];
		assert_int_equal(count(name, ""), n);
		assert_int_equal(count("", name), 40 - n);
	}
}

int
main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(a_union_has_everybody_once),
		CASE(but_one_is_not_meant),
		CASE(who_connects_or_has_gone_is_not_meant),
		CASE(a_room_is_there_while_it_has_members),
		CASE(rooms_of_one_are_left_in_any_order),
		CASE(the_room_of_an_id_can_be_joined_and_left),
		CASE(who_comes_finds_the_room_of_its_id),
		CASE(names_and_numbers_have_bounds),
		CASE(marks_begin_again),
		CASE(a_child_ends_with_its_last_socket),
		CASE(handles_become_stale),
		CASE(clients_of_socket_io_2_know_their_ids),
		CASE(many_joins_and_leaves_agree_with_a_model),
	};

	return cmocka_run_group_tests_name("sio_rooms", tests, NULL, NULL);
}
