// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "image/closure.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "image/file.h"
#include "image/ldcache.h"
#include "image/search.h"

#define LD_CACHE "/etc/ld.so.cache"
#define MUSL_PATH "/etc/ld-musl-x86_64.path"
#define MUSL_PATH_MAX ((size_t)64 << 10)
#define OBJECTS_MAX 2048u /* programs with some hundred libraries are known */
#define NO_LOADER SIZE_MAX

/* glibc's, as distributions build it; Debian has the first two and the last two. */
static const char default_dirs[] =
	"/lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu:/lib64:/usr/lib64:/lib:/usr/lib";
static const char musl_dirs[] = "/lib:/usr/local/lib:/usr/lib"; /* musl's ldso/dynlink.c */

struct object {
	char *name; /* as it was asked for; NULL for the program and its interpreter */
	char *path;
	char *origin; /* what $ORIGIN is */
	size_t loader; /* who asked first, NO_LOADER for the program */
	struct avd__elf_dyn dyn;
};

struct closure {
	struct avd__initramfs *archive;
	struct avd__error *error;
	struct object *objects;
	size_t count;
	bool musl;
	char *musl_list; /* from MUSL_PATH, or NULL */
	uint8_t *cache_bytes;
	struct avd__ldcache cache;
};

static int fail_memory(const struct closure *c)
{
	return avd__fail(c->error, ENOMEM, "out of memory");
}

static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash && slash != path ? strndup(path, (size_t)(slash - path)) : strdup("/");
}

/* Takes *dyn over. For the program ld.so has $ORIGIN from /proc/self/exe, where no
 * symlinks are left; for libraries from the path they were found by. */
static int push(struct closure *c, const char *name, const char *path, size_t loader,
		struct avd__elf_dyn *dyn)
{
	struct object *more =
		c->count < OBJECTS_MAX ? realloc(c->objects, (c->count + 1) * sizeof(*more)) : NULL;
	if (!more) {
		avd__elf_dyn_free(dyn);
		return fail_memory(c);
	}
	c->objects = more;
	struct object *object = &more[c->count++];
	*object = (struct object){.loader = loader, .dyn = *dyn, .path = strdup(path)};
	*dyn = (struct avd__elf_dyn){0};
	if (name)
		object->name = strdup(name);
	char *real = loader == NO_LOADER ? realpath(path, NULL) : NULL;
	object->origin = directory_of(real ? real : path);
	free(real);
	if (!object->path || !object->origin || (name && !object->name))
		return fail_memory(c);
	return 0;
}

static int add_object(struct closure *c, const char *name, const char *path, size_t loader)
{
	struct avd__elf_dyn dyn = {0};
	int fd = -1;
	int r = avd__archive_add_host_file(c->archive, path, "library", &fd, c->error);
	if (r < 0)
		return r;
	r = avd__elf_dyn_read(fd, path, &dyn, c->error);
	avd__close(&fd);
	return r < 0 ? r : push(c, name, path, loader, &dyn);
}

static bool is_loaded(const struct closure *c, const char *name)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct object *object = &c->objects[i];
		if ((object->name && !strcmp(object->name, name)) ||
		    (object->dyn.soname && !strcmp(object->dyn.soname, name)) ||
		    !strcmp(object->path, name))
			return true;
	}
	return false;
}

/* musl's linker is its C library, under all of these names. */
static bool is_musl_libc(const char *name)
{
	static const char *const names[] = {"c.", "pthread.", "rt.", "m.", "dl.", "util.", "xnet."};
	if (strncmp(name, "lib", 3) != 0)
		return false;
	for (size_t i = 0; i < AVD__ARRAY_SIZE(names); i++) {
		if (!strncmp(name + 3, names[i], strlen(names[i])))
			return true;
	}
	return false;
}

static int search_musl(const struct closure *c, size_t asker, const char *name,
		       struct avd__found *found)
{
	int r = 0;
	for (size_t i = asker; r == 0 && i != NO_LOADER && !found->common;
	     i = c->objects[i].loader) {
		const struct object *object = &c->objects[i];
		const char *list = object->dyn.runpath ? object->dyn.runpath : object->dyn.rpath;
		if (list)
			r = avd__search_list(list, object->origin, name, false, found);
	}
	if (r == 0 && !found->common)
		r = avd__search_list(c->musl_list ? c->musl_list : musl_dirs, "/", name, false,
				     found);
	return r;
}

/* DT_RPATH of the asker and of those who asked for it, unless the asker has a
 * DT_RUNPATH; that one counts for the asker alone. */
static int search_paths(const struct closure *c, size_t asker, const char *name,
			struct avd__found *found)
{
	const struct object *object = &c->objects[asker];
	int r = 0;
	if (object->dyn.runpath)
		return avd__search_list(object->dyn.runpath, object->origin, name, true, found);
	for (size_t i = asker; r == 0 && i != NO_LOADER && !found->common;
	     i = c->objects[i].loader) {
		if (c->objects[i].dyn.rpath)
			r = avd__search_list(c->objects[i].dyn.rpath, c->objects[i].origin, name,
					     true, found);
	}
	return r;
}

static bool in_default_dir(const char *path)
{
	return !strncmp(path, "/lib", 4) || !strncmp(path, "/usr/lib", 8);
}

static int search_cache(const struct closure *c, bool nodeflib, const char *name,
			struct avd__found *found)
{
	uint32_t position = 0;
	bool common = false;
	const char *path;
	int r = 0;
	while (r == 0 && (path = avd__ldcache_next(&c->cache, name, &position, &common))) {
		if ((nodeflib && in_default_dir(path)) || !avd__search_usable(path))
			continue;
		r = avd__found_add(found, path);
		found->common |= common;
	}
	return r;
}

static int search(const struct closure *c, size_t asker, const char *name, struct avd__found *found)
{
	const bool nodeflib = c->objects[asker].dyn.nodeflib;
	if (strchr(name, '/'))
		return name[0] == '/' && avd__search_usable(name) ? avd__found_add(found, name) : 0;
	if (c->musl)
		return search_musl(c, asker, name, found);
	int r = search_paths(c, asker, name, found);
	if (r == 0 && !found->common)
		r = search_cache(c, nodeflib, name, found);
	if (r == 0 && !found->common && !nodeflib)
		r = avd__search_list(default_dirs, "/", name, true, found);
	return r;
}

static int add_needed(struct closure *c, size_t asker, const char *name)
{
	struct avd__found found = {0};
	if (is_loaded(c, name) || (c->musl && is_musl_libc(name)))
		return 0;
	int r = search(c, asker, name, &found);
	if (r < 0)
		r = fail_memory(c);
	else if (!found.count)
		r = avd__fail(c->error, ENOENT,
			      "%s: needs the library %s, which was not found; install it, make it "
			      "known with ldconfig, or link it statically",
			      c->objects[asker].path, name);
	for (size_t i = 0; r == 0 && i < found.count; i++)
		r = add_object(c, name, found.paths[i], asker);
	avd__found_free(&found);
	return r;
}

/* glibc loads it by itself when a thread ends early or a backtrace is asked for, and
 * aborts the program if it can't: no DT_NEEDED tells of that. */
static int add_unwinder(struct closure *c)
{
	static const char name[] = "libgcc_s.so.1";
	struct avd__found found = {0};
	if (c->musl || is_loaded(c, name) || !is_loaded(c, "libc.so.6"))
		return 0;
	int r = search(c, 0, name, &found);
	if (r < 0)
		r = fail_memory(c);
	for (size_t i = 0; r == 0 && i < found.count; i++)
		r = add_object(c, name, found.paths[i], 0);
	avd__found_free(&found);
	return r;
}

static int read_list(struct closure *c, const char *path, size_t max, uint8_t **ret_bytes,
		     size_t *ret_size)
{
	struct stat st;
	int fd = -1;
	if (avd__file_open(path, "file", &fd, &st, NULL) < 0)
		return 0; /* there need not be one */
	int r = avd__file_read(fd, max, ret_bytes, ret_size);
	avd__close(&fd);
	if (r == 0)
		r = avd__initramfs_add_bytes(c->archive, path, 0644, *ret_bytes, *ret_size,
					     c->error);
	else
		r = avd__fail(c->error, -r, "%s: cannot be read: %s", path, strerror(-r));
	return r;
}

static int read_linker_files(struct closure *c)
{
	size_t size = 0;
	if (!c->musl) {
		int r = read_list(c, LD_CACHE, AVD__LDCACHE_MAX, &c->cache_bytes, &size);
		/* One in a format unknown here is unknown to no one else: the guest's ld.so reads
		 * it, and the default directories are left for this search. */
		if (r == 0 && size)
			(void)avd__ldcache_parse(c->cache_bytes, size, &c->cache);
		return r;
	}
	uint8_t *list = NULL;
	const int r = read_list(c, MUSL_PATH, MUSL_PATH_MAX, &list, &size);
	c->musl_list = (char *)list;
	for (char *p = c->musl_list; p && *p; p++) {
		if (*p == '\n')
			*p = ':';
	}
	return r;
}

static int add_interpreter(struct closure *c, const char *program, const char *interp)
{
	if (interp[0] != '/' || access(interp, F_OK) < 0)
		return avd__fail(c->error, ENOENT,
				 "%s: needs the interpreter %s, which is not installed; install "
				 "the C library it was built for, or link it statically",
				 program, interp);
	/* Its loader is not the program: an RPATH of the program is none of the linker's. */
	return add_object(c, NULL, interp, NO_LOADER);
}

/* Breadth first, as ld.so does: who asks first decides where a name is found. */
static int add_all_needed(struct closure *c, size_t *done)
{
	int r = 0;
	for (; r == 0 && *done < c->count; ++*done) {
		for (size_t n = 0; r == 0 && n < c->objects[*done].dyn.needed_count; n++)
			r = add_needed(c, *done, c->objects[*done].dyn.needed[n]);
	}
	return r;
}

int avd__closure_add(struct avd__initramfs *archive, const char *path, struct avd__elf_dyn *dyn,
		     struct avd__error *error)
{
	struct closure c = {.archive = archive, .error = error};
	int r = push(&c, NULL, path, NO_LOADER, dyn);
	if (r == 0) {
		const char *interp = c.objects[0].dyn.interp;
		const char *base = strrchr(interp, '/');
		c.musl = !strncmp(base ? base + 1 : interp, "ld-musl-", 8);
		r = add_interpreter(&c, path, interp);
	}
	if (r == 0)
		r = read_linker_files(&c);
	size_t done = 0;
	if (r == 0)
		r = add_all_needed(&c, &done);
	if (r == 0)
		r = add_unwinder(&c);
	if (r == 0)
		r = add_all_needed(&c, &done);
	for (size_t i = 0; i < c.count; i++) {
		free(c.objects[i].name);
		free(c.objects[i].path);
		free(c.objects[i].origin);
		avd__elf_dyn_free(&c.objects[i].dyn);
	}
	free(c.objects);
	free(c.musl_list);
	free(c.cache_bytes);
	return r;
}
