// SPDX-License-Identifier: BSD-2-Clause OR LGPL-2.1-or-later
#include "vmm/vm.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/proc.h"
#include "vmm/boot.h"
#include "vmm/cpuid.h"

/* Of the MSR IA32_APIC_BASE: enabled, in x2APIC mode. */
#define APIC_BASE_X2APIC 0xc00u

#define VCPU_STACK_BYTES (256u * 1024u)

/* Below SIGRTMIN as libc tells it, and so not to be blocked by pthread_sigmask() either. */
#define LIBC_SETXID_SIGNAL 33

int avd__vcpu_kick_signal(void)
{
	return SIGRTMIN;
}

static int open_kvm(struct avd__vm *vm, struct avd__error *error)
{
	const struct avd__kvm_sys *sys = vm->sys;
	int r = sys->open(sys->userdata, "/dev/kvm");
	if (r < 0)
		return avd__fail(error, -r, "cannot open /dev/kvm: %s; %s", strerror(-r),
				 r == -EACCES ? "join the group kvm"
					      : "load the module kvm_intel or kvm_amd");
	vm->kvm_fd = r;
	r = AVD__KVM_IOCTL(sys, vm->kvm_fd, KVM_GET_API_VERSION, NULL, error);
	if (r < 0)
		return r;
	if (r != KVM_API_VERSION)
		return avd__fail(error, ENOTSUP, "KVM has the API version %d, not %d", r,
				 KVM_API_VERSION);
	r = AVD__KVM_IOCTL(sys, vm->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, NULL, error);
	if (r < 0)
		return r;
	vm->run_size = (size_t)r;
	r = AVD__KVM_IOCTL(sys, vm->kvm_fd, KVM_CREATE_VM, NULL, error);
	if (r < 0)
		return r;
	vm->vm_fd = r;
	return 0;
}

static int add_memory(struct avd__vm *vm, uint32_t slot, uint64_t guest, uint64_t offset,
		      uint64_t size, struct avd__error *error)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.guest_phys_addr = guest,
		.memory_size = size,
		.userspace_addr = (uintptr_t)(vm->memory + offset),
	};
	if (!size)
		return 0;
	const int r =
		AVD__KVM_IOCTL(vm->sys, vm->vm_fd, KVM_SET_USER_MEMORY_REGION, &region, error);
	return r < 0 ? r : 0;
}

static int make_memory(struct avd__vm *vm, struct avd__error *error)
{
	void *memory;
	vm->low_bytes =
		vm->memory_bytes < AVD__MEMORY_LOW_MAX ? vm->memory_bytes : AVD__MEMORY_LOW_MAX;
	vm->high_bytes = vm->memory_bytes - vm->low_bytes;
	int r = vm->sys->map(vm->sys->userdata, -1, vm->memory_bytes, &memory);
	if (r < 0)
		return avd__fail(error, -r, "cannot map %llu MiB for the guest: %s",
				 (unsigned long long)vm->memory_bytes >> 20, strerror(-r));
	vm->memory = memory;
	/* Small pages cost 1.7 times the boot under nested paging; only a wish. */
	madvise(vm->memory, vm->memory_bytes, MADV_HUGEPAGE);
	r = add_memory(vm, 0, 0, 0, vm->low_bytes, error);
	return r < 0 ? r
		     : add_memory(vm, 1, AVD__MEMORY_HIGH, vm->low_bytes, vm->high_bytes, error);
}

static int make_vcpu(struct avd__vm *vm, struct avd__vcpu *vcpu, const struct avd__cpuid *supported,
		     struct avd__error *error)
{
	struct avd__topology_cpu place;
	avd__topology_cpu(&vm->topology, vcpu->index, &place);
	int r = AVD__KVM_IOCTL(vm->sys, vm->vm_fd, KVM_CREATE_VCPU,
			       (void *)(uintptr_t)place.apic_id, error);
	if (r < 0)
		return r;
	vcpu->fd = r;
	void *run;
	r = vm->sys->map(vm->sys->userdata, vcpu->fd, vm->run_size, &run);
	if (r < 0)
		return avd__fail(error, -r, "cannot map the state of vCPU %u: %s", vcpu->index,
				 strerror(-r));
	vcpu->run = run;
	struct avd__cpuid cpuid = *supported;
	if (avd__cpuid_for(&cpuid, &vm->topology, vcpu->index) < 0)
		return avd__fail(error, ENOSPC, "KVM has too many CPUID leaves to add ours");
	r = AVD__KVM_IOCTL(vm->sys, vcpu->fd, KVM_SET_CPUID2, &cpuid, error);
	if (r < 0)
		return r;
	/*
	 * 0: the host's own rate. KVM's default is the rate that the host's kernel knew when KVM
	 * was loaded. Where that has been corrected since by more than 250 ppm and the TSC can't be
	 * scaled, KVM gives the vCPU a scale of 0, reads its TSC as standing still, and each timer
	 * of the guest comes later than the one before (arch/x86/kvm/x86.c, set_tsc_khz()).
	 */
	r = AVD__KVM_IOCTL(vm->sys, vcpu->fd, KVM_SET_TSC_KHZ, NULL, error);
	if (r < 0)
		return r;
	/* Everything blocked but the kick, while the vCPU runs; and but libc's own signal, by which
	 * setuid() in another thread waits for this one (nptl(7)). */
	struct {
		uint32_t len;
		uint8_t bytes[8];
	} mask = {.len = sizeof(mask.bytes)};
	const uint64_t blocked = ~(UINT64_C(1) << (avd__vcpu_kick_signal() - 1) |
				   UINT64_C(1) << (LIBC_SETXID_SIGNAL - 1));
	memcpy(mask.bytes, &blocked, sizeof(blocked));
	r = AVD__KVM_IOCTL(vm->sys, vcpu->fd, KVM_SET_SIGNAL_MASK, &mask, error);
	return r < 0 ? r : 0;
}

static int make_vcpus(struct avd__vm *vm, struct avd__error *error)
{
	struct avd__cpuid *supported = malloc(sizeof(*supported));
	vm->vcpus = calloc(vm->cpus, sizeof(*vm->vcpus));
	if (!supported || !vm->vcpus) {
		free(supported);
		return avd__fail(error, ENOMEM, "out of memory");
	}
	for (uint32_t i = 0; i < vm->cpus; i++)
		vm->vcpus[i] = (struct avd__vcpu){
			.vm = vm, .index = i, .fd = -1, .end_fd = -1, .life_fd = -1};
	int r = avd__cpuid_supported(vm->sys, vm->kvm_fd, supported, error);
	for (uint32_t i = 0; r == 0 && i < vm->cpus; i++)
		r = make_vcpu(vm, &vm->vcpus[i], supported, error);
	free(supported);
	return r;
}

int avd__vm_new(const struct avd__kvm_sys *sys, uint64_t memory_bytes,
		const struct avd__topology *topology, bool irqchip, struct avd__vm **ret_vm,
		struct avd__error *error)
{
	struct avd__vm *vm = calloc(1, sizeof(*vm));
	if (!vm)
		return avd__fail(error, ENOMEM, "out of memory");
	vm->sys = sys;
	vm->kvm_fd = vm->vm_fd = vm->event_fd = vm->poll_fd = -1;
	vm->memory_bytes = memory_bytes;
	vm->topology = *topology;
	vm->cpus = topology->cpus;
	vm->irqchip = irqchip;
	sem_init(&vm->confined, 0, 0);
	if (avd__lock_init(&vm->device_lock) < 0 || avd__lock_init(&vm->end_lock) < 0 ||
	    avd__lock_init(&vm->thread_lock) < 0) {
		free(vm); /* nothing else is in it */
		return avd__fail(error, ENOMEM, "out of memory");
	}
	int r = open_kvm(vm, error);
	if (r == 0)
		r = make_memory(vm, error);
	if (r == 0)
		r = avd__vm_make_chips(vm, error);
	if (r == 0)
		r = avd__vm_make_devices(vm, error);
	if (r == 0)
		r = make_vcpus(vm, error);
	if (r < 0) {
		avd__vm_free(vm);
		return r;
	}
	*ret_vm = vm;
	return 0;
}

void avd__vm_free(struct avd__vm *vm)
{
	if (!vm)
		return;
	avd__vm_stop(vm, AVD_END_HOST_STOP, "");
	avd__vm_join(vm);
	for (uint32_t i = 0; vm->vcpus && i < vm->cpus; i++) {
		if (vm->vcpus[i].run)
			vm->sys->unmap(vm->sys->userdata, vm->vcpus[i].run, vm->run_size);
		avd__close(&vm->vcpus[i].fd);
	}
	avd__vm_free_confinement(vm);
	free(vm->vcpus);
	avd__close(&vm->vm_fd);
	avd__close(&vm->kvm_fd);
	if (vm->memory)
		vm->sys->unmap(vm->sys->userdata, vm->memory, vm->memory_bytes);
	avd__vm_free_devices(vm);
	pthread_mutex_destroy(&vm->device_lock);
	pthread_mutex_destroy(&vm->end_lock);
	pthread_mutex_destroy(&vm->thread_lock);
	sem_destroy(&vm->confined);
	free(vm);
}

/* A flat segment with the selectors of boot.c's GDT. */
static struct kvm_segment segment(uint16_t selector, uint8_t type, bool code)
{
	return (struct kvm_segment){.base = 0,
				    .limit = 0xffffffff,
				    .selector = selector,
				    .type = type,
				    .present = 1,
				    .s = 1,
				    .g = 1,
				    .l = code,
				    .db = !code};
}

int avd__vm_set_boot(struct avd__vm *vm, uint64_t entry, struct avd__error *error)
{
	struct kvm_sregs sregs;
	const int fd = vm->vcpus[0].fd;
	int r = AVD__KVM_IOCTL(vm->sys, fd, KVM_GET_SREGS, &sregs, error);
	if (r < 0)
		return r;
	sregs.cs = segment(0x10, 0xb, true);
	sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = segment(0x18, 0x3, false);
	sregs.gdt.base = AVD__BOOT_GDT;
	sregs.gdt.limit = 4 * 8 - 1;
	sregs.idt.limit = 0;
	sregs.cr0 = 0x80050033; /* PG, AM, WP, NE, ET, MP, PE */
	sregs.cr3 = AVD__BOOT_PML4;
	sregs.cr4 = 0x20; /* PAE */
	sregs.efer = 0x500; /* LME, LMA */
	/* Linux takes APIC ids above 254 only if it finds the x2APIC mode on. */
	if (vm->irqchip)
		sregs.apic_base |= APIC_BASE_X2APIC;
	struct kvm_regs regs = {
		.rip = entry, .rsi = AVD__BOOT_ZERO_PAGE, .rsp = AVD__BOOT_STACK, .rflags = 2};
	r = AVD__KVM_IOCTL(vm->sys, fd, KVM_SET_SREGS, &sregs, error);
	if (r >= 0)
		r = AVD__KVM_IOCTL(vm->sys, fd, KVM_SET_REGS, &regs, error);
	return r < 0 ? r : 0;
}

int avd__vm_start(struct avd__vm *vm, struct avd__error *error)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	int r = 0;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, VCPU_STACK_BYTES);
	/* The threads are born with every signal blocked: signals are the caller's affair. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	/* Under the lock: a vCPU that ends the machine at once must find all the others. */
	avd__lock(&vm->thread_lock);
	for (uint32_t i = 0; r == 0 && i < vm->cpus; i++) {
		atomic_fetch_add(&vm->running, 1);
		r = pthread_create(&vm->vcpus[i].thread, &attributes, avd__vcpu_main,
				   &vm->vcpus[i]);
		if (r)
			atomic_fetch_sub(&vm->running, 1);
		else
			vm->vcpus[i].started = vm->vcpus[i].live = true;
	}
	avd__unlock(&vm->thread_lock);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	const int confined = avd__vm_wait_confined(vm);
	if (r == 0 && confined == 0)
		return 0;
	avd__vm_stop(vm, AVD_END_SPAWN_ERROR, "");
	avd__vm_join(vm);
	if (r)
		return avd__fail(error, r, "cannot start a thread for each vCPU: %s", strerror(r));
	return avd__fail(error, -confined,
			 "cannot confine the vCPUs' threads: %s; run without (--no-sandbox)",
			 strerror(-confined));
}

void avd__vm_stop(struct avd__vm *vm, uint32_t cause, const char *detail)
{
	avd__lock(&vm->end_lock);
	if (!vm->ended) {
		vm->ended = true;
		vm->end.cause = cause;
		strncpy(vm->end.detail, detail, sizeof(vm->end.detail) - 1);
	}
	avd__unlock(&vm->end_lock);
	atomic_store(&vm->stopping, true);
	/* Nobody may take what is in the boxes any more before the threads are joined. */
	if (vm->console_box.bytes)
		avd__outbox_close(&vm->console_box);
	if (vm->channel_box.bytes)
		avd__outbox_close(&vm->channel_box);
	avd__lock(&vm->thread_lock);
	for (uint32_t i = 0; vm->vcpus && i < vm->cpus; i++) {
		/* Not the caller itself: it looks at `stopping` anyway. */
		if (vm->vcpus[i].live && !pthread_equal(vm->vcpus[i].thread, pthread_self()))
			pthread_kill(vm->vcpus[i].thread, avd__vcpu_kick_signal());
	}
	avd__unlock(&vm->thread_lock);
	if (vm->event_fd >= 0)
		eventfd_write(vm->event_fd, 1);
}

void avd__vm_join(struct avd__vm *vm)
{
	for (uint32_t i = 0; vm->vcpus && i < vm->cpus; i++) {
		if (vm->vcpus[i].started)
			pthread_join(vm->vcpus[i].thread, NULL);
		vm->vcpus[i].started = false;
	}
}

uint64_t avd__vm_cpu_ns(const struct avd__vm *vm)
{
	uint64_t sum = 0;
	for (uint32_t i = 0; i < vm->cpus; i++) {
		const struct avd__vcpu *vcpu = &vm->vcpus[i];
		clockid_t clock;
		struct timespec used;
		uint64_t ns = atomic_load(&vcpu->cpu_ns); /* not zero once the thread has ended */
		if (!ns && vcpu->started && pthread_getcpuclockid(vcpu->thread, &clock) == 0 &&
		    clock_gettime(clock, &used) == 0)
			ns = (uint64_t)used.tv_sec * 1000000000u + (uint64_t)used.tv_nsec;
		sum += ns;
	}
	return sum;
}

uint64_t avd__vm_wait_ns(const struct avd__vm *vm)
{
	uint64_t sum = 0;
	bool known = false;
	for (uint32_t i = 0; i < vm->cpus; i++) {
		const pid_t tid = atomic_load(&vm->vcpus[i].tid);
		const uint64_t ns = tid ? avd__proc_wait_ns(getpid(), tid) : AVD__WAIT_UNKNOWN;
		if (ns == AVD__WAIT_UNKNOWN)
			continue;
		sum += ns;
		known = true;
	}
	return known ? sum : AVD__WAIT_UNKNOWN;
}
