// SPDX-License-Identifier: LGPL-2.1-or-later
/* What the numbers of a page stand for: memory cgroups, zones. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture.h"
#include "internal.h"

#define MAX_ZONES 16
#define ZONE_NAME 32

/* cgroups can't be nested deeper than this by default, and far from it. */
#define MAX_DEPTH 128

struct memcg {
	uint64_t inode;
	char *path;		/* NULL: isn't there */
};

struct mmlens_labels {
	struct memcg *memcgs;
	size_t count;
	size_t last;			/* found last: often asked for again */
	char *root;			/* where the hierarchy is mounted */
	bool have_root;
	char zones[MAX_ZONES][ZONE_NAME];
	bool have_zones;
};

struct mmlens_labels *mmlens_labels_open(void)
{
	return calloc(1, sizeof(struct mmlens_labels));
}

/* ---- memory cgroups ---- */

/*
 * Inode numbers are unique in a hierarchy.  The one with the memory controller
 * of version 1, if there is one, is it; otherwise that of version 2.
 */
static char *find_root(void)
{
	const struct mntent *m;
	char *root = NULL;
	FILE *f;

	if (mmlens_source())
		return mmlens_read_file(MML_FILE_MEMCG_ROOT);
	f = setmntent("/proc/self/mounts", "re");
	if (!f)
		return NULL;
	while ((m = getmntent(f))) {
		if (!strcmp(m->mnt_type, "cgroup") &&
		    hasmntopt(m, "memory")) {
			free(root);
			root = strdup(m->mnt_dir);
			break;
		}
		if (!strcmp(m->mnt_type, "cgroup2") && !root)
			root = strdup(m->mnt_dir);
	}
	endmntent(f);
	return root;
}

static char *join(const char *path, const char *name)
{
	char *joined;

	return asprintf(&joined, "%s/%s", path, name) < 0 ? NULL : joined;
}

static char *find_below(int fd, const char *path, uint64_t inode,
			unsigned int depth);

static char *look_into(int parent, const char *path, const char *name,
		       uint64_t inode, unsigned int depth)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *below, *found;

	if (fd < 0)
		return NULL;
	below = join(path, name);
	if (!below) {
		close(fd);
		return NULL;
	}
	found = find_below(fd, below, inode, depth);
	free(below);
	return found;
}

/* Takes @fd.  kernfs gives inode and type with each name: no need to stat. */
static char *find_below(int fd, const char *path, uint64_t inode,
			unsigned int depth)
{
	DIR *dir = fdopendir(fd);
	char *found = NULL;
	const struct dirent *d;

	if (!dir) {
		close(fd);
		return NULL;
	}
	while (!found && (d = readdir(dir))) {
		if (d->d_type != DT_DIR || !strcmp(d->d_name, ".") ||
		    !strcmp(d->d_name, ".."))
			continue;
		if (d->d_ino == inode)
			found = join(path, d->d_name);
		else if (depth < MAX_DEPTH)
			found = look_into(dirfd(dir), path, d->d_name, inode,
					  depth + 1);
	}
	closedir(dir);
	return found;
}

const char *mmlens_memcg_root(struct mmlens_labels *labels)
{
	if (!labels->have_root)
		labels->root = find_root();
	labels->have_root = true;
	return labels->root;
}

/* ---- memory cgroups of a capture: "INODE PATH" lines ---- */

/* Tells each; @told returns false to end it. */
static void each_memcg(bool (*told)(uint64_t inode, const char *path,
				    void *context), void *context)
{
	char *text = mmlens_read_file(MML_FILE_MEMCGS), *line, *rest, *path;
	uint64_t inode;

	for (line = text ? strtok_r(text, "\n", &rest) : NULL; line;
	     line = strtok_r(NULL, "\n", &rest)) {
		inode = strtoull(line, &path, 10);
		if (*path == ' ' && !told(inode, path + 1, context))
			break;
	}
	free(text);
}

struct wanted {
	const char *path;
	uint64_t inode;
	char *found;
};

static bool is_inode(uint64_t inode, const char *path, void *context)
{
	struct wanted *wanted = context;

	if (inode != wanted->inode)
		return true;
	wanted->found = strdup(path);
	return false;
}

static bool is_path(uint64_t inode, const char *path, void *context)
{
	struct wanted *wanted = context;

	if (strcmp(path, wanted->path))
		return true;
	wanted->inode = inode;
	return false;
}

/* Its path, or its directory where the hierarchy was mounted. */
static int find_captured(const char *root, const char *path, uint64_t *inode)
{
	const size_t length = strlen(root);
	struct wanted wanted = { .path = path };

	each_memcg(is_path, &wanted);
	if (!wanted.inode && !strncmp(path, root, length) &&
	    (!path[length] || path[length] == '/')) {
		wanted.path = path[length] ? path + length : "/";
		each_memcg(is_path, &wanted);
	}
	*inode = wanted.inode;
	return wanted.inode ? 0 : -ENOENT;
}

static char *find_memcg(struct mmlens_labels *labels, uint64_t inode)
{
	struct wanted wanted = { .inode = inode };
	struct stat st;
	int fd;

	if (mmlens_source()) {
		each_memcg(is_inode, &wanted);
		return wanted.found;
	}

	if (!mmlens_memcg_root(labels))
		return NULL;
	fd = open(labels->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && st.st_ino == inode) {
		close(fd);
		return strdup("/");
	}
	return find_below(fd, "", inode, 0);
}

static const char *remember(struct mmlens_labels *labels, uint64_t inode)
{
	struct memcg *grown;

	grown = realloc(labels->memcgs, (labels->count + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	labels->memcgs = grown;
	grown[labels->count] = (struct memcg) {
		.inode = inode,
		.path = find_memcg(labels, inode),
	};
	labels->last = labels->count++;
	return grown[labels->last].path;
}

const char *mmlens_memcg_path(struct mmlens_labels *labels, uint64_t inode)
{
	if (!inode)
		return NULL;
	if (labels->count && labels->memcgs[labels->last].inode == inode)
		return labels->memcgs[labels->last].path;
	for (size_t i = 0; i < labels->count; i++) {
		if (labels->memcgs[i].inode != inode)
			continue;
		labels->last = i;
		return labels->memcgs[i].path;
	}
	return remember(labels, inode);
}

/* A directory of the hierarchy. */
static int look_at_directory(const char *path, dev_t dev, uint64_t *inode)
{
	struct stat st;

	if (stat(path, &st))
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	if (st.st_dev != dev)
		return -EXDEV;
	*inode = st.st_ino;
	return 0;
}

int mmlens_memcg_find(struct mmlens_labels *labels, const char *path,
		      uint64_t *inode)
{
	struct stat root;
	char *below;
	int ret;

	if (!mmlens_memcg_root(labels))
		return -ENODEV;
	if (mmlens_source())
		return find_captured(labels->root, path, inode);
	if (stat(labels->root, &root))
		return -errno;
	below = join(labels->root, path);
	if (!below)
		return -ENOMEM;
	ret = *path ? look_at_directory(below, root.st_dev, inode) : -ENOENT;
	free(below);
	return ret == -ENOENT && *path ?
		look_at_directory(path, root.st_dev, inode) : ret;
}

/* ---- zones ---- */

/* Every node has all zones, empty ones too, in the same order. */
static void read_zones(struct mmlens_labels *labels)
{
	FILE *f = mmlens_source_open("/proc/zoneinfo");
	unsigned int node, first = 0, n = 0;
	char line[256], name[ZONE_NAME];

	if (!f)
		return;
	while (n < MAX_ZONES && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Node %u, zone %31s", &node, name) != 2)
			continue;
		if (!n)
			first = node;
		if (node != first)
			break;
		strcpy(labels->zones[n++], name);
	}
	fclose(f);
}

const char *mmlens_zone_name(struct mmlens_labels *labels, unsigned int zone)
{
	if (!labels->have_zones)
		read_zones(labels);
	labels->have_zones = true;
	if (zone >= MAX_ZONES || !*labels->zones[zone])
		return NULL;
	return labels->zones[zone];
}

void mmlens_labels_close(struct mmlens_labels *labels)
{
	if (!labels)
		return;
	for (size_t i = 0; i < labels->count; i++)
		free(labels->memcgs[i].path);
	free(labels->memcgs);
	free(labels->root);
	free(labels);
}
