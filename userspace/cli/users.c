// SPDX-License-Identifier: GPL-2.0-only
/* Names of users, each asked for once. */
#include <stdlib.h>
#include <string.h>

#include "cli.h"

struct user {
	uint32_t uid;
	char *name;
};

/* Its name, or its number where it has none. */
static char *look_up(uint32_t uid, bool numeric)
{
	char *name = numeric ? NULL : mmlens_user_name(uid);

	if (name)
		return name;
	return asprintf(&name, "%u", uid) < 0 ? NULL : name;
}

static const struct user *add_user(struct users *users, uint32_t uid)
{
	struct user *grown;

	grown = realloc(users->list, (users->count + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	users->list = grown;
	grown[users->count] = (struct user) {
		.uid = uid,
		.name = look_up(uid, users->numeric),
	};
	if (!grown[users->count].name)
		return NULL;
	return &grown[users->count++];
}

const char *users_name(struct users *users, uint32_t uid)
{
	const struct user *user = NULL;

	for (size_t i = 0; i < users->count && !user; i++)
		if (users->list[i].uid == uid)
			user = &users->list[i];
	if (!user)
		user = add_user(users, uid);
	return user ? user->name : "?";
}

void users_free(struct users *users)
{
	for (size_t i = 0; i < users->count; i++)
		free(users->list[i].name);
	free(users->list);
}
