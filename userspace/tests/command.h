/* SPDX-License-Identifier: GPL-2.0-only */
/* Runs the whole command on top of a fake module and takes what it writes. */
#ifndef MMLENS_TEST_COMMAND_H
#define MMLENS_TEST_COMMAND_H

#include <stdio.h>
#include <unistd.h>

#include "cli.h"
#include "fake.h"

/* What the command wrote, until the next one runs. */
static char output[262144], errors[4096];

static struct fake *command_fake;

static inline struct mmlens *command_connect(void)
{
	return fake_open(command_fake);
}

/* A descriptor that goes to a file for now. */
struct captured {
	FILE *stream;
	FILE *file;
	int into;
	int saved;
};

static inline void capture(struct captured *c, FILE *stream)
{
	fflush(stream);
	c->stream = stream;
	c->file = tmpfile();
	c->into = fileno(stream);
	c->saved = dup(c->into);
	dup2(fileno(c->file), c->into);
}

static inline void capture_end(struct captured *c, char *room, size_t size)
{
	size_t n;

	fflush(c->stream);
	dup2(c->saved, c->into);
	close(c->saved);
	rewind(c->file);
	n = fread(room, 1, size - 1, c->file);
	room[n] = '\0';
	fclose(c->file);
}

/* Run "mmlens COMMAND A B C"; NULL ends them.  Return: exit status. */
static inline int run_command(struct fake *fake, const char *command,
			      const char *a, const char *b, const char *c)
{
	char *argv[] = { "mmlens", (char *)command, (char *)a, (char *)b,
			 (char *)c, NULL };
	struct captured out, err;
	int status, argc = 0;

	while (argv[argc])
		argc++;
	capture(&out, stdout);
	capture(&err, stderr);
	command_fake = fake;
	cli_connect = command_connect;
	status = cli_run(argc, argv);
	capture_end(&out, output, sizeof(output));
	capture_end(&err, errors, sizeof(errors));
	return status;
}

#endif
