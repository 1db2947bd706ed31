// SPDX-License-Identifier: GPL-2.0-only
/* A connection, where its answers go, and what its errors mean. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

static struct mmlens *connect_device(void)
{
	return mmlens_open(NULL);
}

struct mmlens *(*cli_connect)(void) = connect_device;

const char *cli_from;

/* ---- opening ---- */

/* The version of the loaded module when it can't be asked. */
static const char *loaded_version(char room[32])
{
	FILE *f = fopen("/sys/module/mmlens/version", "re");

	strcpy(room, "of unknown version");
	if (!f)
		return room;
	if (fgets(room, 32, f))
		room[strcspn(room, "\n")] = '\0';
	fclose(f);
	return room;
}

static const char *open_hint(int error)
{
	switch (error) {
	case ENOENT:
	case ENODEV:
	case ENXIO:
		return " (is the module loaded? try: sudo modprobe mmlens)";
	case EACCES:
		return " (try: sudo)";
	case EPERM:
		if (geteuid())
			return " (try: sudo)";
		return " (needs CAP_SYS_ADMIN in the initial user namespace, and no lockdown in confidentiality mode)";
	default:
		return "";
	}
}

static void explain_open(int error)
{
	char version[32];

	switch (error) {
	case ENOTTY:
	case E2BIG:
	case EINVAL:
	case EPROTO:
		cli_error("%s: the module (%s) doesn't understand this reader (%s): install both from one version",
			  MMLENS_DEVICE, loaded_version(version),
			  mmlens_lib_version());
		break;
	default:
		cli_error("%s: %s%s", MMLENS_DEVICE, strerror(error),
			  open_hint(error));
	}
}

static bool wants_color(FILE *out)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (no_color && *no_color)
		return false;
	return isatty(fileno(out)) && term && strcmp(term, "dumb");
}

static void explain_mismatch(const struct mmlens_info *info, const char *what)
{
	if (cli_from) {
		cli_error("%s: the module that it was taken with (%s, contract %u) %s this reader (%s, contract %u) asks",
			  cli_from, info->version, info->abi, what,
			  mmlens_lib_version(), MMLENS_ABI);
		return;
	}
	cli_error("the module (%s, contract %u) %s this reader (%s, contract %u) asks: install both from one version",
		  info->version, info->abi, what, mmlens_lib_version(),
		  MMLENS_ABI);
}

static struct mmlens *open_capture(void)
{
	char why[256];
	struct mmlens *lens = mmlens_capture_open(cli_from, why, sizeof(why));

	if (!lens)
		cli_error("%s: %s", cli_from, why);
	return lens;
}

static struct mmlens *open_running(void)
{
	struct mmlens *lens = cli_connect();

	if (!lens)
		explain_open(errno);
	return lens;
}

void session_of(struct session *s, struct mmlens *lens, bool json)
{
	*s = (struct session) { .lens = lens, .json = json };
	s->view.out = stdout;
	s->view.info = mmlens_get_info(lens);
	s->view.color = !json && wants_color(stdout);
}

int session_open(struct session *s, unsigned int nr, bool json)
{
	*s = (struct session) { .json = json };
	s->lens = cli_from ? open_capture() : open_running();
	if (!s->lens)
		return CLI_FAILED;
	session_of(s, s->lens, json);
	if (!mmlens_has_query(s->lens, nr)) {
		explain_mismatch(s->view.info, "can't answer what");
		return session_close(s, CLI_FAILED);
	}
	return CLI_GO_ON;
}

int session_need_abi(const struct session *s, unsigned int abi)
{
	if (s->view.info->abi >= abi)
		return CLI_GO_ON;
	explain_mismatch(s->view.info, "can't answer what");
	return CLI_FAILED;
}

int session_close(struct session *s, int status)
{
	status = session_finish(s, status);
	mmlens_close(s->lens);
	return status;
}

int session_finish(struct session *s, int status)
{
	int error = view_finish(&s->view);

	if (!error)
		return status;
	cli_error("standard output: %s", strerror(error));
	clearerr(stdout);
	return CLI_FAILED;
}

/* ---- errors about a process ---- */

static const char *why_no_memory(int pid)
{
	struct mmlens_process process;

	if (mmlens_process_read(pid, &process))
		return "has no address space";
	if (process.state == 'Z' || process.state == 'X')
		return "zombie, has no address space";
	if (process.kernel_thread)
		return "kernel thread, has no address space";
	return "has no address space";
}

/* What a capture says of itself comes before what the number means. */
static bool explain_capture(const struct session *s, int error)
{
	const char *why = s->lens ? mmlens_capture_why(s->lens) : NULL;

	if (!error || !why)
		return false;
	cli_error("%s: %s", cli_from ? cli_from : "capture", why);
	return true;
}

int session_explain_of(const struct session *s, const char *subject, int error)
{
	if (explain_capture(s, error))
		return CLI_FAILED;
	switch (-error) {
	case 0:
		return CLI_OK;
	case EPERM:
		cli_error("%s: %s%s", subject, strerror(EPERM),
			  open_hint(EPERM));
		break;
	case EPROTO:
		explain_mismatch(s->view.info, "gives no sense for what");
		break;
	case E2BIG:
	case ENOTTY:
	case EOPNOTSUPP:
		explain_mismatch(s->view.info, "can't answer what");
		break;
	default:
		cli_error("%s: %s", subject, strerror(-error));
	}
	return CLI_FAILED;
}

int session_explain_kernel(const struct session *s, bool user, int error)
{
	if (error != -EOPNOTSUPP)
		return session_explain_of(s, "kernel's page table", error);
	if (user)
		cli_error("user mode has no page table of its own: page-table isolation is off (cat /sys/devices/system/cpu/vulnerabilities/meltdown)");
	else
		cli_error("the kernel's page table: can't be read in a Xen PV guest");
	return CLI_FAILED;
}

int session_explain(const struct session *s, int pid, int error)
{
	char subject[24] = "processes";

	switch (-error) {
	case ESRCH:
		if (cli_from)
			cli_error("PID %d: isn't in %s", pid, cli_from);
		else
			cli_error("PID %d: no such process", pid);
		return CLI_MISSING;
	case ENXIO:
		cli_error("PID %d: %s", pid, why_no_memory(pid));
		return CLI_FAILED;
	case ESTALE:
		cli_error("PID %d: exited or executed another program during the walk",
			  pid);
		return CLI_FAILED;
	}
	if (pid)
		snprintf(subject, sizeof(subject), "PID %d", pid);
	return session_explain_of(s, subject, error);
}

/* ---- progress ---- */

static bool progress_shown;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

/* Whether it is time for another line. */
static bool is_time(void)
{
	static double begun, shown;
	double at;

	if (!isatty(STDERR_FILENO))
		return false;
	at = now();
	if (!begun)
		begun = shown = at;
	if (at - begun < 1 || at - shown < 0.2)
		return false;
	shown = at;
	progress_shown = true;
	return true;
}

void session_progress(uint64_t entries, uint64_t address)
{
	static unsigned int calls;

	/* The clock isn't asked for each line. */
	if (calls++ % 4096 || isatty(STDOUT_FILENO) || !is_time())
		return;
	fprintf(stderr, "\rmmlens: %llu entries, at 0x%llx\033[K",
		(unsigned long long)entries, (unsigned long long)address);
}

void session_progress_bytes(uint64_t bytes, uint64_t records)
{
	if (is_time())
		fprintf(stderr, "\rmmlens: %llu records, %llu bytes\033[K",
			(unsigned long long)records,
			(unsigned long long)bytes);
}

void session_progress_end(void)
{
	if (progress_shown)
		fputs("\r\033[K", stderr);
	progress_shown = false;
}
