// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
/*
 * Confined vCPU threads, seen from outside: each holds the writing end of a pipe that nobody else
 * has, in its own table of file descriptors, so its end can be polled for, however it came.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "vmm/vm.h"

/* Ends looked at in one go; there is another. */
#define EVENTS_MAX 16

static int watch(struct avd__vm *vm, int fd, uint32_t number)
{
	struct epoll_event event = {.events = EPOLLIN, .data = {.u32 = number}};
	return epoll_ctl(vm->poll_fd, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

static int make_pipe(struct avd__vm *vm, struct avd__vcpu *vcpu)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	vcpu->end_fd = ends[0];
	vcpu->life_fd = ends[1];
	return watch(vm, vcpu->end_fd, vcpu->index + 1);
}

int avd__vm_confine(struct avd__vm *vm, uint32_t violation, size_t without,
		    struct avd__error *error)
{
	const struct avd__sandbox_options options = {
		.vm_fd = vm->vm_fd,
		.event_fd = vm->event_fd,
		.kick_signal = avd__vcpu_kick_signal(),
		.violation = violation,
		.without = without,
	};
	int r = avd__sandbox_new(&options, &vm->sandbox, error);
	if (r < 0)
		return r;
	vm->poll_fd = epoll_create1(EPOLL_CLOEXEC);
	r = vm->poll_fd < 0 ? -errno : watch(vm, vm->event_fd, 0);
	for (uint32_t i = 0; r == 0 && i < vm->cpus; i++)
		r = make_pipe(vm, &vm->vcpus[i]);
	if (r < 0)
		return avd__fail(error, -r, "cannot watch the vCPUs' threads: %s", strerror(-r));
	return 0;
}

int avd__vcpu_confine(struct avd__vcpu *vcpu)
{
	struct avd__vm *vm = vcpu->vm;
	if (!vm->sandbox)
		return 0;
	int fds[] = {vcpu->fd, vcpu->life_fd, vm->vm_fd, vm->event_fd};
	vcpu->confine_error = avd__sandbox_enter(vm->sandbox, fds, AVD__ARRAY_SIZE(fds));
	const int r = vcpu->confine_error;
	sem_post(&vm->confined);
	return r;
}

int avd__vm_wait_confined(struct avd__vm *vm)
{
	int r = 0;
	if (!vm->sandbox)
		return 0;
	for (uint32_t i = 0; i < vm->cpus; i++) {
		if (!vm->vcpus[i].started)
			continue;
		while (sem_wait(&vm->confined) < 0)
			; /* EINTR: a handler of the caller's */
	}
	for (uint32_t i = 0; i < vm->cpus; i++) {
		avd__close(&vm->vcpus[i].life_fd); /* the thread has its own */
		if (r == 0)
			r = vm->vcpus[i].confine_error;
	}
	return r;
}

/* It ended where it stood: what it would have done on its way out is done for it. */
static void bury(struct avd__vm *vm, struct avd__vcpu *vcpu)
{
	char detail[sizeof(vm->end.detail)];
	snprintf(detail, sizeof(detail),
		 "vCPU %u: its thread made a system call that its sandbox forbids, and was killed; "
		 "the kernel's log may name the call (audit type 1326)",
		 vcpu->index);
	atomic_store(&vcpu->tid, 0);
	atomic_store(&vcpu->cpu_ns, 1);
	avd__lock(&vm->thread_lock);
	vcpu->live = false;
	avd__unlock(&vm->thread_lock);
	avd__vm_stop(vm, AVD_END_VCPU_ERROR, detail);
	atomic_fetch_sub(&vm->running, 1);
}

void avd__vm_reap(struct avd__vm *vm)
{
	struct epoll_event events[EVENTS_MAX];
	int count;
	if (vm->poll_fd < 0)
		return;
	do {
		count = epoll_wait(vm->poll_fd, events, EVENTS_MAX, 0);
		for (int i = 0; i < count; i++) {
			if (!events[i].data.u32)
				continue;
			struct avd__vcpu *vcpu = &vm->vcpus[events[i].data.u32 - 1];
			avd__close(&vcpu->end_fd);
			if (!atomic_load(&vcpu->done))
				bury(vm, vcpu);
		}
	} while (count == EVENTS_MAX);
}

void avd__vm_free_confinement(struct avd__vm *vm)
{
	for (uint32_t i = 0; vm->vcpus && i < vm->cpus; i++) {
		avd__close(&vm->vcpus[i].end_fd);
		avd__close(&vm->vcpus[i].life_fd);
	}
	avd__close(&vm->poll_fd);
	avd__sandbox_free(vm->sandbox);
	vm->sandbox = NULL;
}

int avd__vm_fd(const struct avd__vm *vm)
{
	return vm->poll_fd >= 0 ? vm->poll_fd : vm->event_fd;
}
