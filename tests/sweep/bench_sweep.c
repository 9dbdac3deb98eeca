// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * How the results grow: an index written and read, four shards merged with a recording a cell
 * (empty ones, so that it is the files that count and not their bytes), of 1,000, 10,000 and
 * 100,000 cells. The aim: 100,000 below 5 s and 300 MiB, growth linear. What is not CPU time is
 * waiting for the disk, mostly in fsync.
 */
#include <attachverdict/results.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "sweep/store.h"

#define SHARDS 4u
#define RECORDING AVD__STORE_CELLS "/%zu.avd"

static void check(int r, const char *what)
{
	if (r < 0) {
		fprintf(stderr, "%s: %s\n", what, strerror(-r));
		exit(EXIT_FAILURE);
	}
}

static void make_plan(struct avd__table *table, size_t cells)
{
	*table = (struct avd__table){.plan_digest = 1};
	for (size_t i = 0; i < cells; i++) {
		char id[64], kernel[16], scheduler[32];
		snprintf(kernel, sizeof(kernel), "7.%zu", i % 10);
		snprintf(scheduler, sizeof(scheduler), "sched-%zu", i / 10);
		snprintf(id, sizeof(id), "%s/%s/2", kernel, scheduler);
		const struct avd__row row = {
			.id = id,
			.command = "attachverdict run --kernel /kernels/7.3.4/vmlinuz --topology "
				   "2 --memory 512M --scheduler /schedulers/example",
			.name = {scheduler, kernel, "2", ""},
			.expect = {.any_outcome = 1, .result = AVD_RESULT_PASSED},
			.digest = i + 1,
		};
		check(avd__table_add(table, &row), "a row");
	}
}

/* Not part of what is measured: cells make their recordings as they end. */
static void make_recordings(const char *dir, size_t cells, unsigned int shard)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/" AVD__STORE_CELLS, dir);
	if (mkdir(dir, 0700) < 0 || mkdir(path, 0700) < 0)
		check(-1, path);
	for (size_t i = shard; i < cells; i += SHARDS) {
		snprintf(path, sizeof(path), "%s/" RECORDING, dir, i);
		const int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
		if (fd < 0 || close(fd) < 0)
			check(-1, path);
	}
}

static void make_shard(const char *dir, size_t cells, unsigned int shard)
{
	struct avd__table table;
	struct avd__store store;
	struct avd__error error;
	make_plan(&table, cells);
	check(avd__store_open(dir, &table, &store, &error), "a shard");
	for (size_t i = shard; i < cells; i += SHARDS) {
		char recording[64];
		snprintf(recording, sizeof(recording), RECORDING, i);
		const struct avd__came came = {
			.outcome = AVD_OUTCOME_DIED,
			.reason_code = AVD_REASON_EXITED,
			.result_code = AVD_REASON_EXITED,
			.reason = "cause=exited state=disabled ops=missing enable_seq=0->0",
			.result_reason = "cause=exited state=disabled ops=missing enable_seq=0->0",
			.recording = recording,
		};
		check(avd__table_set(&table, i, &came), "a result");
	}
	check(avd__store_write(&store, &table, &error), "an index");
	avd__store_close(&store);
	avd__table_free(&table);
}

/* CPU time of this process, in seconds. */
static double cpu(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double since(uint64_t then)
{
	return (double)(avd__now_ns() - then) / 1e9;
}

/* In a process of its own, for its memory. */
static void measure(size_t cells, double *first)
{
	char top[] = "/tmp/avd-bench-XXXXXX", names[SHARDS + 1][64], text[256];
	const char *dirs[SHARDS];
	avd_results *results;
	struct rusage usage;
	if (!mkdtemp(top))
		check(-1, top);
	for (unsigned int i = 0; i < SHARDS; i++) {
		snprintf(names[i], sizeof(names[i]), "%s/%u", top, i);
		dirs[i] = names[i];
		make_recordings(dirs[i], cells, i);
	}
	snprintf(names[SHARDS], sizeof(names[SHARDS]), "%s/%u", top, SHARDS);
	const double cpu_before = cpu();
	uint64_t then = avd__now_ns();
	for (unsigned int i = 0; i < SHARDS; i++)
		make_shard(dirs[i], cells, i);
	const double write = since(then) / SHARDS, cpu_write = (cpu() - cpu_before) / SHARDS;
	const double cpu_then = cpu();
	then = avd__now_ns();
	check(avd_results_merge(dirs, SHARDS, names[SHARDS], 0, text, sizeof(text)), "merge");
	const double merge = since(then);
	then = avd__now_ns();
	check(avd_results_open(names[SHARDS], &results, text, sizeof(text)), "open");
	const double read = since(then), cpu_all = cpu_write + cpu() - cpu_then;
	avd_results_free(results);
	getrusage(RUSAGE_SELF, &usage);
	const double each = (write + merge + read) / (double)cells;
	printf("%7zu cells: index %.3f s, merge of %u %.3f s, read %.3f s: %.3f s, CPU %.3f s, %ld "
	       "MiB; a cell costs %.2f of one of the first row\n",
	       cells, write, SHARDS, merge, read, write + merge + read, cpu_all,
	       usage.ru_maxrss >> 10, *first > 0 ? each / *first : 1.0);
	fflush(stdout);
	if (*first <= 0)
		*first = each;
	snprintf(text, sizeof(text), "rm -r %s", top);
	if (system(text) != 0)
		check(-1, text);
}

int main(void)
{
	static const size_t sizes[] = {1000, 10000, 100000};
	int ends[2];
	double first = 0;
	if (pipe(ends) < 0)
		return EXIT_FAILURE;
	for (size_t i = 0; i < AVD__ARRAY_SIZE(sizes); i++) {
		int status;
		const pid_t child = fork();
		if (child == 0) {
			measure(sizes[i], &first);
			_exit(write(ends[1], &first, sizeof(first)) == sizeof(first) ? 0 : 1);
		}
		if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0 ||
		    read(ends[0], &first, sizeof(first)) != sizeof(first))
			return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
