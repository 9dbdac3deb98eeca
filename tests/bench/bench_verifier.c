// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Reading and collapsing verifier logs of 1, 8 and 64 MiB: MB/s, time per MiB as a ratio to that of
 * the smallest (1.0 for a linear growth), ratio to counting the lines by memchr(), and the peak of
 * memory beyond the log. Each size and kind runs in a process of its own, for the sake of the peak.
 *
 *   AVD_BENCH_ROUNDS (3): medians of so many rounds.
 *
 * The logs are made: a level-2 log of loops as 7.3 prints it, nested, with marks of precision whose
 * number grows; one that never repeats; and one that is all but a repetition (Fibonacci words),
 * which is bad for what looks for repetitions.
 */
#include <attachverdict/verifier.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS_MAX 101
#define FEED_BYTES 65536u
#define BEGIN "libbpf: prog 'bench': -- BEGIN PROG LOAD LOG --\n0: R1=ctx() R10=fp0\n"
#define END                                                                                     \
	"R1 invalid mem access 'scalar'\nprocessed 1 insns (limit 1000000) "                    \
	"max_states_per_insn 1 total_states 1 peak_states 1 mark_read 0\n-- END PROG LOAD LOG " \
	"--\n"

struct log {
	char *text;
	size_t size, cap;
	uint64_t lines;
};

struct result {
	double seconds, memchr_seconds;
	uint64_t bytes, lines, collapsed;
	long peak_kib;
};

static void die(const char *what)
{
	fprintf(stderr, "bench-verifier: %s\n", what);
	exit(EXIT_FAILURE);
}

static void add(struct log *log, const char *line, size_t len)
{
	if (log->size + len > log->cap)
		die("a log outgrew its buffer");
	memcpy(log->text + log->size, line, len);
	log->size += len;
}

static void AVD_PRINTF(2, 3) put(struct log *log, const char *fmt, ...)
{
	char line[512];
	va_list args;
	va_start(args, fmt);
	const int len = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(line))
		die("a line outgrew its buffer");
	add(log, line, (size_t)len);
}

static void put_step(struct log *log, int insn, int value)
{
	put(log,
	    "%d: (07) r%d += %d                        ; "
	    "R%d_w=scalar(id=%d,smin=0,smax=umax=%d,var_off=(0x0; 0x%x))\n",
	    insn, insn % 10, insn, insn % 10, value, value, value);
}

/* Outer iterations of some inner ones of some instructions, a branch and marks at each end. */
static void make_loops(struct log *log, size_t size)
{
	for (int outer = 0; log->size + 65536 < size; outer++) {
		put(log, "; for (i = 0; i < n; i++) @ bench.bpf.c:12\n");
		for (int inner = 0; inner < 8; inner++) {
			for (int k = 0; k < 12; k++)
				put_step(log, 10 + k, outer * 8 + inner);
			put(log, "22: (15) if r2 == 0x0 goto pc+1\n");
			for (int k = 0; k < 3 + inner; k++)
				put(log,
				    "mark_precise: frame0: regs=r2 stack= before %d: (07) r2 += "
				    "-1\n",
				    22 - k);
			put(log, "22: R2=%d\n", inner);
		}
		put(log, "\nfrom 22 to 24: R0=10 R2=0 R6=scalar(id=%d) R10=fp0 fp-8=mmmm????\n",
		    outer);
		put_step(log, 24, outer);
	}
}

static void make_distinct(struct log *log, size_t size)
{
	for (int i = 0; log->size + 65536 < size; i++)
		put_step(log, i, i);
}

/* Line n is A or B as the n-th letter of the Fibonacci word: squares begin everywhere. */
static void make_fibonacci(struct log *log, size_t size)
{
	for (uint64_t n = 1; log->size + 65536 < size; n++) {
		const double golden = 1.6180339887498949;
		const int letter =
			(uint64_t)((double)(n + 1) / golden) == (uint64_t)((double)n / golden);
		put_step(log, letter ? 1 : 2, 0);
	}
}

static const struct {
	const char *name;
	void (*make)(struct log *log, size_t size);
} kinds[] = {
	{"loops", make_loops},
	{"distinct", make_distinct},
	{"fibonacci", make_fibonacci},
};

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double median(double *times, unsigned int rounds)
{
	qsort(times, rounds, sizeof(*times), by_value);
	return times[rounds / 2];
}

static double count_by_memchr(struct log *log)
{
	const double start = now();
	uint64_t lines = 0;
	for (const char *at = log->text;
	     (at = memchr(at, '\n', log->size - (size_t)(at - log->text))); at++)
		lines++;
	if (log->lines && lines != log->lines)
		die("lines were lost");
	log->lines = lines;
	return now() - start;
}

static double collapse(const struct log *log, struct result *result)
{
	struct avd_program program;
	avd_verifier *verifier;
	const double start = now();
	if (avd_verifier_new(NULL, &verifier))
		die("avd_verifier_new");
	for (size_t at = 0; at < log->size; at += FEED_BYTES) {
		const size_t left = log->size - at;
		if (avd_verifier_feed(verifier, log->text + at,
				      left < FEED_BYTES ? left : FEED_BYTES))
			die("avd_verifier_feed");
	}
	if (avd_verifier_finish(verifier) ||
	    avd_verifier_program(verifier, 0, sizeof(program), &program))
		die("avd_verifier_finish");
	const double seconds = now() - start;
	result->collapsed = program.collapsed_lines;
	avd_verifier_free(verifier);
	return seconds;
}

static long resident_kib(void)
{
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

/* Buffers of the log are touched before, so that what is added later is the verifier's. */
static struct result measure(size_t kind, size_t size, unsigned int rounds)
{
	double times[ROUNDS_MAX], counts[ROUNDS_MAX];
	struct result result = {0};
	struct log log = {.text = malloc(size), .cap = size};
	if (!log.text)
		die("no memory");
	memset(log.text, ' ', size);
	add(&log, BEGIN, strlen(BEGIN));
	kinds[kind].make(&log, size);
	add(&log, END, strlen(END));
	const long before = resident_kib();
	for (unsigned int i = 0; i < rounds; i++) {
		counts[i] = count_by_memchr(&log);
		times[i] = collapse(&log, &result);
	}
	result.seconds = median(times, rounds);
	result.memchr_seconds = median(counts, rounds);
	result.bytes = log.size;
	result.lines = log.lines;
	result.peak_kib = resident_kib() - before;
	free(log.text);
	return result;
}

static struct result measure_apart(size_t kind, size_t size, unsigned int rounds)
{
	struct result result;
	int ends[2], status;
	if (pipe(ends))
		die("pipe");
	fflush(stdout);
	const pid_t child = fork();
	if (child < 0)
		die("fork");
	if (child == 0) {
		result = measure(kind, size, rounds);
		_exit(write(ends[1], &result, sizeof(result)) == (ssize_t)sizeof(result)
			      ? EXIT_SUCCESS
			      : EXIT_FAILURE);
	}
	close(ends[1]);
	const ssize_t got = read(ends[0], &result, sizeof(result));
	close(ends[0]);
	if (waitpid(child, &status, 0) != child || status || got != (ssize_t)sizeof(result))
		die("a measurement failed");
	return result;
}

int main(void)
{
	static const size_t mebibytes[] = {1, 8, 64};
	const char *text = getenv("AVD_BENCH_ROUNDS");
	const unsigned long rounds = text ? strtoul(text, NULL, 10) : 3;
	if (!rounds || rounds > ROUNDS_MAX)
		die("AVD_BENCH_ROUNDS makes no sense");
	printf("medians of %lu rounds\n\n"
	       "log          MiB      lines  collapsed |     MB/s  time/MiB   to memchr | peak "
	       "MiB\n",
	       rounds);
	for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++) {
		double first = 0;
		for (size_t i = 0; i < 3; i++) {
			const struct result r =
				measure_apart(kind, mebibytes[i] << 20, (unsigned int)rounds);
			const double each = r.seconds / (double)r.bytes;
			if (i == 0)
				first = each;
			printf("%-10s %5zu %10llu %10llu | %8.1f %8.2fx %9.1fx | %8.1f\n",
			       kinds[kind].name, mebibytes[i], (unsigned long long)r.lines,
			       (unsigned long long)r.collapsed, (double)r.bytes / r.seconds / 1e6,
			       each / first, r.seconds / r.memchr_seconds,
			       (double)r.peak_kib / 1024);
		}
	}
	return EXIT_SUCCESS;
}
