// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "programs.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "program_btf.h"
#include "program_message.h"

/* Frames of a cell: the field's largest schedulers load some 60 programs. */
#define PROGRAMS_MAX 1024u
/* A turn of the loop: the gate is waiting. */
#define PROGRAMS_A_TURN 8
/* Without a probe: ids that are asked for in a turn. */
#define IDS_A_TURN 8

/* program_probe.S puts the object here. */
extern const char avd__program_probe[], avd__program_probe_end[];

static struct avd__text *libbpf_words;

/* The first words are the cause, as a rule; the rest follows from it. */
__attribute__((format(printf, 2, 0))) static int keep_words(enum libbpf_print_level level,
							    const char *fmt, va_list args)
{
	char line[160];

	if (level > LIBBPF_WARN || !libbpf_words || libbpf_words->len)
		return 0;
	vsnprintf(line, sizeof(line), fmt, args);
	line[strcspn(line, "\n")] = '\0';
	avd__text_add(libbpf_words, "%s", line);
	return 0;
}

/* Limits the probe to one cgroup, by its id: the inode's number (fs/kernfs, 64 bit). */
static int set_cgroup(struct bpf_object *object, const char *cgroup)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, ".rodata");
	size_t size = 0;
	void *value = map ? bpf_map__initial_value(map, &size) : NULL;
	struct stat st;
	uint64_t id;

	if (!value || size < sizeof(id))
		return -EINVAL;
	if (stat(cgroup, &st) < 0)
		return -errno;
	id = st.st_ino;
	memcpy(value, &id, sizeof(id));
	return 0;
}

static int map_ring(struct avd__ring *ring, struct bpf_object *object)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, "records");
	const long page = sysconf(_SC_PAGESIZE);

	if (!map || page <= 0)
		return -EINVAL;
	const size_t size = bpf_map__max_entries(map);
	const int fd = bpf_map__fd(map);
	void *consumer = mmap(NULL, (size_t)page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (consumer == MAP_FAILED)
		return -errno;
	/* The producer's page, then the data twice. */
	uint8_t *producer = mmap(NULL, (size_t)page + 2 * size, PROT_READ, MAP_SHARED, fd, page);
	if (producer == MAP_FAILED) {
		const int error = -errno;
		munmap(consumer, (size_t)page);
		return error;
	}
	*ring = (struct avd__ring){.consumer = consumer,
				   .producer = (const uint64_t *)(const void *)producer,
				   .data = producer + page,
				   .size = size};
	return 0;
}

static int attach(struct bpf_object *object, const char **ret_step)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
	{
		if (!bpf_program__autoload(program))
			continue;
		*ret_step = bpf_program__section_name(program);
		/* The link lives as long as init: nobody takes it down. */
		if (!bpf_program__attach_trace(program))
			return -errno;
	}
	return 0;
}

/* A kernel whose scheduler ends go another way leaves only this part out. */
static int without_exit_probe(struct bpf_object *object)
{
	struct bpf_program *program =
		bpf_object__find_program_by_name(object, "scheduler_disabled");

	return program ? bpf_program__set_autoload(program, false) : -ENOENT;
}

static void map_exit_record(struct avd__exit_probe *probe, struct bpf_object *object)
{
	struct bpf_map *map = bpf_object__find_map_by_name(object, AVD__EXIT_RECORD_MAP);

	*probe = (struct avd__exit_probe){0};
	if (!map || bpf_map__value_size(map) < sizeof(*probe->record))
		return;
	const void *record =
		mmap(NULL, sizeof(*probe->record), PROT_READ, MAP_SHARED, bpf_map__fd(map), 0);
	if (record != MAP_FAILED)
		probe->record = record;
}

static int load(struct avd__programs *programs, const char *cgroup, bool with_exit, const char *btf,
		const char **ret_step)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "attachverdict",
		    .btf_custom_path = btf);

	*ret_step = "open";
	programs->object =
		bpf_object__open_mem(avd__program_probe,
				     (size_t)(avd__program_probe_end - avd__program_probe),
				     &options);
	if (!programs->object)
		return -errno;
	*ret_step = "cgroup";
	int error = set_cgroup(programs->object, cgroup);
	if (error)
		return error;
	if (!with_exit)
		error = without_exit_probe(programs->object);
	if (!error && btf)
		error = avd__program_btf_prepare(programs->object);
	if (error)
		return error;
	*ret_step = "load";
	return bpf_object__load(programs->object);
}

static int place(struct avd__programs *programs, const char *cgroup, bool with_exit,
		 const char **ret_step)
{
	/* What the short way lacks, libbpf may find. */
	const char *btf = with_exit ? avd__program_btf_begin() : NULL;
	int error = load(programs, cgroup, with_exit, btf, ret_step);

	if (btf)
		avd__program_btf_end();
	if (error)
		return error;
	error = attach(programs->object, ret_step);
	if (error)
		return error;
	if (with_exit)
		map_exit_record(&programs->exit, programs->object);
	*ret_step = "ring";
	return map_ring(&programs->ring, programs->object);
}

/* What is there already is none of the scheduler's. */
static void start_polling(struct avd__programs *programs)
{
	uint32_t id;

	programs->polling = true;
	while (bpf_prog_get_next_id(programs->last_id, &id) == 0)
		programs->last_id = id;
}

void avd__programs_watch(struct avd__programs *programs, struct avd__channel *channel,
			 const char *cgroup)
{
	char text[256];
	struct avd__text words = avd__text_on(text, sizeof(text));
	const uint64_t start = avd__guest_now();
	const char *step = "";

	libbpf_words = &words;
	libbpf_set_print(keep_words);
	int error = place(programs, cgroup, true, &step);
	if (error) {
		avd__channel_note(channel, "no probe of the scheduler's end (%s: %s%s%s)", step,
				  strerror(-error), words.len ? "; " : "", words.data);
		bpf_object__close(programs->object);
		programs->object = NULL;
		programs->exit.record = NULL;
		words = avd__text_on(text, sizeof(text));
		error = place(programs, cgroup, false, &step);
	}
	libbpf_words = NULL;
	const uint64_t took_us = (avd__guest_now() - start) / AVD__NS_PER_US;
	if (error == 0) {
		avd__channel_note(channel, "verifier statistics: probe placed in %llu us",
				  (unsigned long long)took_us);
		return;
	}
	bpf_object__close(programs->object);
	programs->object = NULL;
	avd__channel_note(channel,
			  "verifier statistics: no probe (%s: %s%s%s); what the kernel keeps of "
			  "each program is used instead",
			  step, strerror(-error), words.len ? "; " : "", words.data);
	start_polling(programs);
}

static void send(struct avd__programs *programs, struct avd__channel *channel,
		 struct avd_message *message)
{
	if (programs->told == PROGRAMS_MAX) {
		programs->lost++;
		return;
	}
	programs->told++;
	avd__channel_send(channel, message);
}

static bool poll_ids(struct avd__programs *programs, struct avd__channel *channel)
{
	uint32_t id;
	int i = 0;

	for (; i < IDS_A_TURN && bpf_prog_get_next_id(programs->last_id, &id) == 0; i++) {
		struct bpf_prog_info info = {0};
		struct avd_message message;
		uint32_t size = sizeof(info);

		programs->last_id = id;
		const int fd = bpf_prog_get_fd_by_id(id);
		if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) < 0) {
			programs->lost++; /* gone again */
		} else {
			avd__program_info_message(&info, programs->told, &message);
			send(programs, channel, &message);
		}
		if (fd >= 0)
			close(fd);
	}
	return i > 0;
}

bool avd__programs_pump(struct avd__programs *programs, struct avd__channel *channel)
{
	struct avd__program_record record;
	struct avd_message message;
	bool some = false;

	if (programs->polling)
		return poll_ids(programs, channel);
	for (int i = 0; i < PROGRAMS_A_TURN; i++) {
		const enum avd__ring_status status =
			avd__ring_take(&programs->ring, &record, sizeof(record));
		if (status == AVD__RING_EMPTY)
			break;
		some = true;
		if (status == AVD__RING_RECORD && avd__program_message(&record, &message))
			send(programs, channel, &message);
		else
			programs->lost++;
	}
	return some;
}

void avd__programs_end(const struct avd__programs *programs, struct avd__channel *channel)
{
	if (programs->lost)
		avd__channel_note(channel,
				  "verifier statistics: %u programs were told, %u were not",
				  programs->told, programs->lost);
}
