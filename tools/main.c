// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static const struct cli_command *const commands[] = {
	&cli_run,    &cli_sweep,    &cli_show,	 &cli_merge,  &cli_mark,    &cli_compare,
	&cli_replay, &cli_verifier, &cli_doctor, &cli_kernel, &cli_explain, &cli_version,
};

static void print_help(void)
{
	puts("Usage: " CLI_NAME " COMMAND [OPTION]...\n"
	     "Did my scheduler really turn on? Boots a Linux kernel in a virtual machine,\n"
	     "starts a sched_ext scheduler in it and gives a positively confirmed verdict.\n\n"
	     "Commands:");
	for (size_t i = 0; i < CLI_COUNT(commands); i++)
		printf("  %-9s %s\n", commands[i]->name, commands[i]->summary);
	puts("'" CLI_NAME " COMMAND --help' shows a command's options.\n\n"
	     "Outcomes:    ATTACHED      proved: it was enabled, and stayed so\n"
	     "             DIED          its process could not start, or ended before that\n"
	     "             NOT_ATTACHED  its process lived, the kernel did not enable it\n"
	     "             UNCONFIRMED   the machine or the channel failed: nothing is proved\n"
	     "Exit status: 0 passed; 1 failed, with a verdict; 2 wrong usage; 3 not tried");
}

/* A standard descriptor that is closed would be taken by the next file that is opened, and what
 * is printed would go there. Opened the wrong way round, using it is an error (EBADF). */
static int fill_standard_fds(void)
{
	for (int fd = 0; fd <= 2; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		if (open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
			return -1;
	}
	return 0;
}

static void ignore(int signal_number)
{
	(void)signal_number;
}

/* A reader that went away is an error to report, not a reason to vanish. A handler, unlike
 * SIG_IGN, is not inherited by the machine's process. */
static void survive_broken_pipes(void)
{
	struct sigaction action = {.sa_handler = ignore, .sa_flags = SA_RESTART};
	sigaction(SIGPIPE, &action, NULL);
}

/* `COMMAND help` is what many type first. A file of that name is meant if there is one. */
static int asks_for_help(int argc, char **argv)
{
	return argc == 2 && strcmp(argv[1], "help") == 0 && access("help", F_OK) < 0;
}

static int command_by_name(const char *name, int argc, char **argv)
{
	for (size_t i = 0; i < CLI_COUNT(commands); i++) {
		if (strcmp(name, commands[i]->name) != 0)
			continue;
		if (!asks_for_help(argc, argv))
			return commands[i]->run(commands[i], argc, argv);
		cli_print_help(commands[i]);
		return CLI_PASSED;
	}
	return cli_usage(NULL, "unknown %s '%s'", *name == '-' ? "option" : "command", name);
}

static int is_help(const char *word)
{
	return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

int main(int argc, char **argv)
{
	static char *help_argv[] = {(char *)"help", (char *)"--help", NULL};

	if (fill_standard_fds() < 0)
		return CLI_NOT_TRIED;
	survive_broken_pipes();
	if (argc < 2)
		return cli_usage(NULL, "no command was given");
	const char *name = argv[1];
	int code = CLI_PASSED;
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
		code = cli_version.run(&cli_version, 1, argv);
	else if (is_help(name) && (argc == 2 || is_help(argv[2])))
		print_help();
	else if (is_help(name))
		code = command_by_name(argv[2], 2, help_argv);
	else
		code = command_by_name(name, argc - 1, argv + 1);
	return cli_finish(code);
}
