/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "base/mem.h"
#include "sandbox/calls.h"
#include "sandbox/filter.h"
#include "sandbox/path_call.h"

/* Allowed if that argument is, or has, the value. */
struct arg_rule {
	const char *name;
	unsigned arg;
	enum scmp_compare op;
	uint64_t value;		/* OWN_PID: ours */
};

#define OWN_PID	UINT64_MAX

static const struct arg_rule arg_rules[] = {
	{ "clone", 0, SCMP_CMP_MASKED_EQ, CLONE_THREAD },
	{ "kill", 0, SCMP_CMP_EQ, OWN_PID },
	{ "tgkill", 0, SCMP_CMP_EQ, OWN_PID },
	{ "rt_tgsigqueueinfo", 0, SCMP_CMP_EQ, OWN_PID },
	{ "prlimit64", 0, SCMP_CMP_EQ, 0 },
	{ "prlimit64", 0, SCMP_CMP_EQ, OWN_PID },
	/* Not who is sent signals about a descriptor, nor which. */
	{ "fcntl", 1, SCMP_CMP_EQ, F_DUPFD },
	{ "fcntl", 1, SCMP_CMP_EQ, F_DUPFD_CLOEXEC },
	{ "fcntl", 1, SCMP_CMP_EQ, F_GETFD },
	{ "fcntl", 1, SCMP_CMP_EQ, F_SETFD },
	{ "fcntl", 1, SCMP_CMP_EQ, F_GETFL },
	{ "fcntl", 1, SCMP_CMP_EQ, F_SETFL },
	{ "fcntl", 1, SCMP_CMP_EQ, F_GETLK },
	{ "fcntl", 1, SCMP_CMP_EQ, F_SETLK },
	{ "fcntl", 1, SCMP_CMP_EQ, F_SETLKW },
	{ "fcntl", 1, SCMP_CMP_EQ, F_OFD_GETLK },
	{ "fcntl", 1, SCMP_CMP_EQ, F_OFD_SETLK },
	{ "fcntl", 1, SCMP_CMP_EQ, F_OFD_SETLKW },
	{ "fcntl", 1, SCMP_CMP_EQ, F_GETPIPE_SZ },
	{ "fcntl", 1, SCMP_CMP_EQ, F_SETPIPE_SZ },
	{ "fcntl", 1, SCMP_CMP_EQ, F_GET_SEALS },
	{ "fcntl", 1, SCMP_CMP_EQ, F_ADD_SEALS },
	{ "socket", 0, SCMP_CMP_EQ, AF_UNIX },
	{ "socket", 0, SCMP_CMP_EQ, AF_INET },
	{ "socket", 0, SCMP_CMP_EQ, AF_INET6 },
	{ "socket", 0, SCMP_CMP_EQ, AF_NETLINK },
	{ "ioctl", 1, SCMP_CMP_EQ, FIONREAD },
	{ "ioctl", 1, SCMP_CMP_EQ, FIONBIO },
	{ "ioctl", 1, SCMP_CMP_EQ, FIOCLEX },
	{ "ioctl", 1, SCMP_CMP_EQ, FIONCLEX },
	{ "ioctl", 1, SCMP_CMP_EQ, TIOCOUTQ },
	{ "ioctl", 1, SCMP_CMP_EQ, TIOCGWINSZ },
	{ "ioctl", 1, SCMP_CMP_EQ, TCGETS },
	{ "ioctl", 1, SCMP_CMP_EQ, SIOCGIFCONF },
	{ "ioctl", 1, SCMP_CMP_EQ, SIOCGIFFLAGS },
	{ "ioctl", 1, SCMP_CMP_EQ, SIOCGIFINDEX },
	{ "ioctl", 1, SCMP_CMP_EQ, SIOCGIFNAME },
#ifdef __SANITIZE_ADDRESS__
	{ "personality", 0, SCMP_CMP_EQ, 0xffffffff },
#endif
};

#define NARG_RULES (sizeof(arg_rules) / sizeof(arg_rules[0]))

static char *names[CALLS_MAX];

const char *
filter_name(int nr)
{
	return nr < 0 || nr >= CALLS_MAX ? NULL : names[nr];
}

static void
learn_names(void)
{
	int nr;

	if (names[0] != NULL)
		return;
	for (nr = 0; nr < CALLS_MAX; nr++)
		names[nr] = seccomp_syscall_resolve_num_arch(
		    SCMP_ARCH_NATIVE, nr);
}

static int
is_listed(const char *const *list, const char *name)
{
	for (; *list != NULL; list++)
		if (strcmp(*list, name) == 0)
			return 1;
	return 0;
}

static int
is_granted(const struct sandbox *s, const char *name)
{
	size_t i;

	for (i = 0; i < s->ncalls; i++)
		if (strcmp(s->calls[i], name) == 0)
			return 1;
	return s->exec && is_listed(calls_of_exec, name);
}

static uint64_t
rule_value(const struct arg_rule *r)
{
	return r->value == OWN_PID ? (uint64_t)getpid() : r->value;
}

int
filter_permits(int nr, const uint64_t args[6])
{
	const char *name = filter_name(nr);
	uint64_t arg, value;
	size_t i;

	for (i = 0; name != NULL && i < NARG_RULES; i++) {
		if (strcmp(arg_rules[i].name, name) != 0)
			continue;
		arg = args[arg_rules[i].arg] & UINT32_MAX;
		value = rule_value(&arg_rules[i]);
		if (arg_rules[i].op == SCMP_CMP_EQ ? arg == value :
		    (arg & value) == value)
			return 1;
	}
	return 0;
}

static struct scmp_arg_cmp
rule_compare(const struct arg_rule *r)
{
	uint64_t value = rule_value(r);

	/* The upper half of an int's register may be anything. */
	return (struct scmp_arg_cmp){ .arg = r->arg,
		.op = SCMP_CMP_MASKED_EQ,
		.datum_a = r->op == SCMP_CMP_EQ ? UINT32_MAX : value,
		.datum_b = value };
}

/* -- one call -- */

struct building {
	const struct sandbox *s;
	scmp_filter_ctx ctx;
	enum filter kind;
	int error;
};

static void
add(struct building *b, uint32_t action, int nr)
{
	int rc = seccomp_rule_add_array(b->ctx, action, nr, 0, NULL);

	if (rc != 0 && b->error == 0)
		b->error = -rc;
}

static void
add_if(struct building *b, int nr, struct scmp_arg_cmp cmp)
{
	int rc = seccomp_rule_add_array(b->ctx, SCMP_ACT_ALLOW, nr, 1, &cmp);

	if (rc != 0 && b->error == 0)
		b->error = -rc;
}

static void
add_allowed(struct building *b, int nr)
{
	if (b->kind != FILTER_NOTIFY)
		add(b, SCMP_ACT_ALLOW, nr);
}

static void
add_path_call(struct building *b, int nr)
{
	struct scmp_arg_cmp ours = SCMP_A5(SCMP_CMP_EQ, sandbox_key);

	if (b->kind == FILTER_NOTIFY)
		add(b, SCMP_ACT_NOTIFY, nr);
	/* Programs that are executed have no handler. */
	else if (b->kind == FILTER_QUIET || b->s->exec)
		add(b, SCMP_ACT_ALLOW, nr);
	else
		add_if(b, nr, ours);
}

static void
add_by_args(struct building *b, int nr, const char *name)
{
	size_t i;

	if (b->kind == FILTER_NOTIFY) {
		add(b, SCMP_ACT_NOTIFY, nr);
		return;
	}
	for (i = 0; i < NARG_RULES; i++)
		if (strcmp(arg_rules[i].name, name) == 0)
			add_if(b, nr, rule_compare(&arg_rules[i]));
}

static int
is_trapped(const struct path_call *p)
{
	return p != NULL && p->kind != PATH_EXEC;
}

static void
add_call(struct building *b, int nr, const char *name)
{
	if (is_granted(b->s, name) || is_listed(calls_allowed, name))
		add_allowed(b, nr);
	else if (is_listed(calls_missing, name) && b->kind != FILTER_NOTIFY)
		add(b, SCMP_ACT_ERRNO(ENOSYS), nr);
	else if (is_trapped(path_call_find(nr)))
		add_path_call(b, nr);
	else
		add_by_args(b, nr, name);
}

static uint32_t
default_action(const struct sandbox *s, enum filter kind)
{
	if (kind == FILTER_NOTIFY)
		return SCMP_ACT_ALLOW;
	return kind == FILTER_QUIET || s->exec ? SCMP_ACT_ERRNO(EPERM) :
	    SCMP_ACT_TRAP;
}

static int
build(struct building *b)
{
	int nr;

	learn_names();
	(void)seccomp_attr_set(b->ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	for (nr = 0; nr < CALLS_MAX && b->error == 0; nr++)
		if (names[nr] != NULL)
			add_call(b, nr, names[nr]);
	return b->error;
}

int
filter_load(const struct sandbox *s, enum filter kind, int *fd, char *why,
    size_t size)
{
	struct building b = { .s = s, .kind = kind };
	int rc;

	if ((b.ctx = seccomp_init(default_action(s, kind))) == NULL) {
		(void)snprintf(why, size, "seccomp: making a filter failed");
		return -1;
	}
	if ((rc = build(&b)) == 0 && (rc = -seccomp_load(b.ctx)) == 0 &&
	    fd != NULL && (*fd = seccomp_notify_fd(b.ctx)) < 0)
		rc = EINVAL;
	seccomp_release(b.ctx);
	if (rc == 0)
		return 0;
	(void)snprintf(why, size, "seccomp: loading the filter: %s",
	    strerror(rc));
	return -1;
}

int
sandbox_allow_call(struct sandbox *s, const char *name)
{
	if (strcmp(name, "exec") == 0) {
		s->exec = 1;
		return 0;
	}
	if (seccomp_syscall_resolve_name(name) == __NR_SCMP_ERROR)
		return -1;
	s->calls = xrealloc(s->calls, (s->ncalls + 1) * sizeof(*s->calls));
	s->calls[s->ncalls++] = xstrdup(name);
	return 0;
}
