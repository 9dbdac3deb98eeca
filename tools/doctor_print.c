// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "doctor.h"

#define SCHEMA_VERSION 1

static const char *const levels[] = {
	[DOCTOR_OK] = "ok", [DOCTOR_WARN] = "warn", [DOCTOR_MISSING] = "missing"};

void doctor_fact(struct doctor *doctor, const char *name, const char *text)
{
	if (!text || !*text || doctor->count == DOCTOR_FACTS_MAX)
		return;
	doctor->facts[doctor->count].name = name;
	doctor->facts[doctor->count++].text = text;
}

void doctor_number(struct doctor *doctor, const char *name, uint64_t number)
{
	if (doctor->count == DOCTOR_FACTS_MAX)
		return;
	doctor->facts[doctor->count].name = name;
	doctor->facts[doctor->count].text = NULL;
	doctor->facts[doctor->count++].number = number;
}

/* "ok    name        text", and the remedy on a line of its own. */
static void print_line(enum doctor_level level, const char *name, const char *remedy,
		       const char *text)
{
	static const char *const color[] = {"\033[1;32m", "\033[1;33m", "\033[1;31m"};
	const int colored = cli_may_color(stdout);
	printf("%s%-7s%s  %-10s ", colored ? color[level] : "", levels[level],
	       colored ? "\033[0m" : "", name);
	cli_print_clean(stdout, text, strlen(text));
	puts("");
	if (remedy)
		printf("%20s -> %s\n", "", remedy);
}

static void print_member(const char *name, const char *text)
{
	printf("\"%s\": ", name);
	if (text)
		cli_print_json_string(text);
	else
		fputs("null", stdout);
}

static void print_object(const struct doctor *doctor, enum doctor_level level, const char *name,
			 const char *remedy, const char *text)
{
	if (doctor->told)
		fputs(",\n  {", stdout);
	else
		printf("{\"schema_version\": %d,\n \"checks\": [\n  {", SCHEMA_VERSION);
	print_member("name", name);
	fputs(", ", stdout);
	print_member("level", levels[level]);
	fputs(", ", stdout);
	print_member("text", text);
	fputs(",\n   ", stdout);
	print_member("remedy", remedy);
	fputs(", \"facts\": {", stdout);
	for (unsigned i = 0; i < doctor->count; i++) {
		fputs(i ? ", " : "", stdout);
		if (doctor->facts[i].text)
			print_member(doctor->facts[i].name, doctor->facts[i].text);
		else
			printf("\"%s\": %" PRIu64, doctor->facts[i].name, doctor->facts[i].number);
	}
	fputs("}}", stdout);
}

void doctor_say(struct doctor *doctor, enum doctor_level level, const char *name,
		const char *remedy, const char *fmt, ...)
{
	char text[2048];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (doctor->format == CLI_JSON)
		print_object(doctor, level, name, remedy, text);
	else
		print_line(level, name, remedy, text);
	doctor->count = 0;
	doctor->told++;
}

void doctor_end(struct doctor *doctor, const char *machine)
{
	if (doctor->format == CLI_JSON) {
		printf("\n ],\n \"usable\": %s,\n ", machine ? "true" : "false");
		print_member("machine", machine);
		puts("}");
	} else if (machine) {
		printf("\nA cell can run here; by default it does in %s.\n",
		       strcmp(machine, "kvm") == 0 ? "the library's own machine, on KVM" : "QEMU");
	} else {
		puts("\nNo cell can run here until what is missing above is there.");
	}
}
