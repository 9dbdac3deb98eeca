/* SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later */
/*
 * The system calls that reach KVM, in one table, so that a test can make each of them
 * fail in turn. Source: Documentation/virt/kvm/api.rst of the kernel.
 */
#ifndef AVD_LIB_VMM_KVM_H
#define AVD_LIB_VMM_KVM_H

#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct avd__kvm_sys {
	/* Each returns what the system call returns, or a negative errno. */
	int (*open)(void *userdata, const char *path);
	int (*ioctl)(void *userdata, int fd, unsigned long request, void *argument);
	/* Maps `size` bytes of fd, shared, or of anonymous memory if fd is -1. */
	int (*map)(void *userdata, int fd, size_t size, void **ret_memory);
	void (*unmap)(void *userdata, void *memory, size_t size);
	void *userdata;
};

extern const struct avd__kvm_sys avd__kvm_system;

/* ioctl with the request's name in the error. */
int avd__kvm_ioctl(const struct avd__kvm_sys *sys, int fd, unsigned long request, const char *name,
		   void *argument, struct avd__error *error);
#define AVD__KVM_IOCTL(sys, fd, request, argument, error) \
	avd__kvm_ioctl(sys, fd, request, #request, argument, error)

#endif
