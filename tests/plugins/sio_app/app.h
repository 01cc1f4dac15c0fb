/* SPDX-License-Identifier: BSD-2-Clause */
/* For the files of sio_app: an event that came, and what is said to it. */
#ifndef SIO_APP_APP_H
#define SIO_APP_APP_H

#include <hostd/easy.h>
#include <hostd/json.h>
#include <hostd/json_write.h>
#include <hostd/socketio.h>
#include <hostd/timer.h>

#define NAMES_MAX	64

struct hostd_inst {
	HOSTD_EASY_HEAD;
	const struct hostd_sio_api *sio;
	const struct hostd_timer_api *timer;
};

struct poll;

/* Of a socket.  rooms: those it was in when it began to go. */
struct seat {
	int32_t recovered;
	struct hostd_json rooms;
};

/* One event.  rest: arguments behind the first one. */
struct call {
	struct hostd_inst *in;
	const struct hostd_sio_api *sio;
	hostd_sio s;
	hostd_sio_ack ack;
	const struct hostd_sio_args *args;
	const struct hostd_sio_info *info;
	const struct seat *seat;
	struct hostd_sio_args rest;
};

/* Names that an argument has: one, or a list. */
struct names {
	hostd_buf v[NAMES_MAX];
	uint32_t n;
	char room[NAMES_MAX][HOSTD_SIO_ROOM_MAX + 2];
};

/* put.c */
int	is_same(hostd_buf, const char *);
int	compare(const void *, const void *);	/* of two hostd_buf */
/* A list of names, sorted, without the one that is `but`. */
void	put_sorted(struct hostd_json *, hostd_buf list, hostd_buf but);
void	put_member(struct hostd_json *, const char *key, hostd_buf value);
void	put_name(struct hostd_json *, const char *key, hostd_buf bytes);
void	put_flag(struct hostd_json *, const char *key, int on);
void	put_query(struct hostd_json *, hostd_buf query, const char *name);
void	put_auth(struct hostd_json *, hostd_buf auth);

/* event.c */
/* Those of argument i. */
void	read_names(const struct call *, uint32_t i, struct names *);
int	is_true(const struct call *, uint32_t i);
void	ack(const struct call *, const struct hostd_sio_args *);
void	ack_list(const struct hostd_sio_api *, hostd_sio_ack,
	    const hostd_buf *, uint32_t n);
/* And what it was made in is freed. */
void	ack_json(const struct hostd_sio_api *, hostd_sio_ack,
	    struct hostd_json *);
/* null, or "timeout", and what was answered. */
void	ack_status(const struct hostd_sio_api *, hostd_sio_ack,
	    int32_t status, const struct hostd_sio_args *answer);
int32_t	on_event(struct hostd_inst *, hostd_sio, void *d,
	    const struct hostd_sio_event *);

/* poll.c: who is asked, and what was answered; poll_came and poll_done are told
 * of it. */
struct poll *poll_new(hostd_sio_ack);	/* NULL: no memory */
void	poll_free(struct poll *);	/* nobody was asked */
void	poll_came(struct hostd_inst *, void *poll,
	    const struct hostd_sio_args *);
void	poll_done(struct hostd_inst *, void *poll, int32_t status,
	    uint32_t n_asked, uint32_t n_answered);

/* own.c */
void	do_ask(struct call *);
void	do_askshort(struct call *);
void	do_asklong(struct call *);
void	do_back(struct call *);
void	do_bye(struct call *);
void	do_echo(struct call *);
void	do_join(struct call *);
void	do_later(struct call *);
void	do_leave(struct call *);
void	do_many(struct call *);
void	do_pid(struct call *);
void	do_rooms(struct call *);
void	do_setdata(struct call *);
void	do_twice(struct call *);
void	do_whoami(struct call *);

/* many.c */
void	do_askall(struct call *);
void	do_askallshort(struct call *);
void	do_except(struct call *);
void	do_fetch(struct call *);
void	do_joinall(struct call *);
void	do_kick(struct call *);
void	do_leaveall(struct call *);
void	do_local(struct call *);
void	do_others(struct call *);
void	do_say(struct call *);
void	do_saystatus(struct call *);
void	do_sse(struct call *);
void	do_sseask(struct call *);
void	do_volatile(struct call *);

#endif /* SIO_APP_APP_H */
