/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The life of the VM. Only the main thread makes, resets and destroys; everybody else leaves a request and
 * wakes it. A reset keeps memory, back ends and the VM itself: pause, stop the I/O threads, reset the devices,
 * reset, load, start.
 */
#include "vm.h"

#include <acrn/vm.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "affinity.h"
#include "api.h"
#include "bus/io.h"
#include "bus/pci.h"
#include "config.h"
#include "confine.h"
#include "ctl/message.h"
#include "dev/device.h"
#include "firmware/acpi.h"
#include "firmware/smbios.h"
#include "hsm.h"
#include "ioreq.h"
#include "loader/loader.h"
#include "log.h"
#include "loop.h"
#include "manager.h"
#include "memory.h"
#include "mmio_pt.h"
#include "monitor.h"
#include "notify.h"
#include "vm_event.h"

#define SHORTEST_LIFE_NS	500000000ull
#define CREATE_RETRIES		4
#define CREATE_RETRY_US		500000

static struct {
	_Atomic int request;	/* enum vm_request */
	_Atomic int exit_status;
	uint64_t started_ns;
	bool paused;
	unsigned int vcpus;
	uint32_t apic_id[HSM_MAX_VCPUS];
} vm;

void vm_request(enum vm_request what)
{
	int now = atomic_load(&vm.request);

	while (now < (int)what && !atomic_compare_exchange_weak(&vm.request, &now, (int)what))
		;
	loop_stop();
}

void vm_request_exit(int status)
{
	atomic_store(&vm.exit_status, status);
	vm_request(VM_DEBUG_EXIT);
}

unsigned int vm_vcpu_count(void)
{
	return vm.vcpus;
}

uint32_t vm_apic_id(unsigned int vcpu)
{
	return vcpu < HSM_MAX_VCPUS ? vm.apic_id[vcpu] : 0;
}

/* All that the Service VM has not given up; where that cannot be known, the hypervisor chooses. */
static uint64_t default_cpus(const struct affinity_cpus *cpus)
{
	uint64_t ids[HSM_MAX_VCPUS], bitmap, missing;
	unsigned int n = affinity_read_online(ids, HSM_MAX_VCPUS);

	return affinity_bitmap(cpus, ids, n, &bitmap, &missing) == 0 ? bitmap : 0;
}

/* The CPUs to run on, as a bitmap: 0 leaves the choice to the hypervisor. */
static int choose_cpus(struct affinity_cpus *cpus, uint64_t *bitmap)
{
	int err = affinity_read_host(cpus);
	uint64_t missing;

	*bitmap = 0;
	if (config.cpu_apicid_count == 0) {
		*bitmap = err ? 0 : default_cpus(cpus);
		return 0;
	}
	if (err) {
		log_err("--cpu_affinity: cannot read the CPUs of this machine: %s", strerror(-err));
		return err;
	}
	if (config.cpu_apicid_count > HSM_MAX_VCPUS) {
		log_err("--cpu_affinity: a VM has at most %d vCPUs", HSM_MAX_VCPUS);
		return -EINVAL;
	}
	err = affinity_bitmap(cpus, config.cpu_apicids, config.cpu_apicid_count, bitmap, &missing);
	if (err)
		log_err("--cpu_affinity: none of the %u CPUs of this machine has the APIC id %llu; "
			"the VM is not started", cpus->count, (unsigned long long)missing);
	return err;
}

/* vCPU n has the APIC id of the n-th CPU it may run on. */
static void assign_apic_ids(const struct affinity_cpus *cpus, uint64_t bitmap)
{
	unsigned int n = 0;

	for (unsigned int cpu = 0; cpu < cpus->count && n < vm.vcpus; cpu++) {
		if (bitmap == 0 || (bitmap >> cpu & 1))
			vm.apic_id[n++] = cpus->apic_id[cpu];
	}
	for (; n < vm.vcpus; n++)
		vm.apic_id[n] = n;
}

static int create_in_hypervisor(void)
{
	struct hsm_vm_config c = {
		.name = config.vm_name,
		.flags = config.rtvm ? ACRN_VM_FLAG_RT | ACRN_VM_FLAG_IO_POLLING : 0,
	};
	struct affinity_cpus cpus = { 0 };
	struct hsm_vm_info info;
	int err = choose_cpus(&cpus, &c.cpu_affinity);

	if (err)
		return err;
	/* One of the same name may still be on its way out, and the HSM says the same for everything. */
	for (int tries = 0; (err = hsm_create_vm(&c, &info)) == -EINVAL && tries < CREATE_RETRIES; tries++) {
		if (tries == 1)
			log_notice("waiting for the hypervisor to make the VM %s", config.vm_name);
		usleep(CREATE_RETRY_US);
	}
	if (err == -ENOENT)
		log_err("there is no /dev/acrn_hsm: is the hypervisor running, and the module acrn_hsm loaded?");
	else if (err)
		log_err("the hypervisor does not make the VM %s: %s (%s)", config.vm_name, strerror(-err), config.rtvm ?
			"a real-time VM needs CPUs that the Service VM has given up and no other VM uses" :
			"a VM of that name may run already, or a real-time VM have a CPU that this one would use");
	if (err)
		return err;
	vm.vcpus = info.vcpu_num;
	assign_apic_ids(&cpus, c.cpu_affinity);
	return 0;
}

static int create_memory(void)
{
	bool hugetlb = config.hugetlb || !hsm_takes_any_page();
	int err = memory_init(config.memory, hugetlb);

	if (err && hugetlb)
		log_err("there are not enough huge pages (sysctl vm.nr_hugepages=%llu)%s",
			(unsigned long long)config.memory >> 21, config.hugetlb ? "" :
			", and this HSM takes no others; the acrn_hsm module of this project does");
	if (!err)
		err = memory_map_guest(config_has_driver("virtio-balloon"));
	if (err)
		log_err("cannot give the VM %llu MiB of memory: %s", (unsigned long long)config.memory >> 20,
			strerror(-err));
	return err;
}

/* Before anything is made: every -s names a driver that there is. */
static int check_drivers(void)
{
	for (unsigned int i = 0; i < config.slot_count; i++) {
		if (device_class_find(config.slot[i].driver))
			continue;
		log_err("-s: there is no driver \"%s\" (see -h); the VM is not started", config.slot[i].driver);
		return -ENODEV;
	}
	return 0;
}

static int create_pci(void)
{
	for (unsigned int i = 0; i < config.slot_count; i++) {
		const struct config_slot *s = &config.slot[i];
		const struct dm_device_class *class = device_class_find(s->driver);
		struct pci_func *f;
		int err;

		f = pci_func_create(s->bus, s->dev, s->fn, s->driver);
		if (!f)
			return -EBUSY;
		err = device_create(class, f, s->opts);
		if (err) {
			pci_func_destroy(f);
			return err;
		}
	}
	pci_start();
	return 0;
}

int vm_create(void)
{
	int err = check_drivers();

	if (!err)
		err = loader_open();
	if (!err)
		err = loop_init();
	if (!err)
		err = create_in_hypervisor();
	if (!err)
		err = create_memory();
	if (!err)
		err = device_create_platform();
	if (!err)
		err = create_pci();
	if (!err)
		err = mmio_pt_init();
	if (!err)
		err = vm_event_init();
	if (!err)
		err = monitor_init();
	if (!err)
		err = manager_init(MNGR_DIR);
	if (!err)
		err = api_init();
	if (err)
		vm_destroy();
	return err;
}

void vm_destroy(void)
{
	if (vm.vcpus)
		hsm_pause_vm();
	ioreq_stop();
	api_exit();
	manager_exit();
	monitor_exit();
	vm_event_exit();
	mmio_pt_exit();
	device_destroy_all();
	pci_exit();
	io_exit();
	hsm_destroy_vm();
	memory_exit();
	loop_exit();
	loader_close();
	vm.vcpus = 0;
}

/* From memory without software to a running guest. */
static int boot(void)
{
	struct acrn_vcpu_regs regs;
	int err = loader_load(&regs);

	/* Firmware gets its tables through fw_cfg; the original's looks where a guest without firmware does. */
	if (!err && config.machine != MACHINE_Q35)
		err = acpi_install();
	if (!err && config.machine != MACHINE_Q35)
		err = smbios_install();
	if (err)
		return err;
	err = hsm_set_vcpu_regs(&regs);
	if (!err)
		err = ioreq_start();
	if (!err)
		err = hsm_start_vm();
	if (err)
		log_err("cannot start the VM: %s", strerror(-err));
	vm.started_ns = loop_now_ns();
	vm.paused = false;
	return err;
}

/* Devices work on: what they have for the guest, it finds when it goes on. */
int vm_pause(void)
{
	int err;

	if (vm.paused)
		return 0;
	err = hsm_can_resume() ? hsm_pause_vm() : -EOPNOTSUPP;
	vm.paused = err == 0;
	return err;
}

int vm_resume(void)
{
	int err = vm.paused ? hsm_start_vm() : 0;

	if (!err)
		vm.paused = false;
	return err;
}

bool vm_is_paused(void)
{
	return vm.paused;
}

/* A guest that does nothing but reset itself must not keep the Service VM busy. */
static void slow_down(void)
{
	uint64_t ran = loop_now_ns() - vm.started_ns;

	if (ran < SHORTEST_LIFE_NS)
		usleep((useconds_t)((SHORTEST_LIFE_NS - ran) / 1000));
}

static int reset(void)
{
	int err = hsm_pause_vm();

	slow_down();
	if (err) {
		log_err("cannot pause the VM: %s", strerror(-err));
		return err;
	}
	ioreq_stop();
	device_reset_all();
	err = hsm_reset_vm();
	if (err) {
		log_err("cannot reset the VM: %s", strerror(-err));
		return err;
	}
	return boot();
}

/* Until somebody wants something of the main thread. */
static enum vm_request wait_for_request(void)
{
	enum vm_request what = VM_NONE;
	int err = 0;

	while (what == VM_NONE && !err) {
		err = loop_run();
		what = (enum vm_request)atomic_exchange(&vm.request, VM_NONE);
	}
	if (err)
		log_err("the event loop ends: %s", strerror(-err));
	return err ? VM_FAILED : what;
}

int vm_run(void)
{
	confine_thread(CONFINE_MAIN);
	if (boot() != 0)
		return 1;
	notify("READY=1");
	for (;;) {
		switch (wait_for_request()) {
		case VM_RESET:
			log_guest("the guest restarts");
			api_event("reset", NULL);
			if (reset() != 0)
				return 1;
			break;
		case VM_POWEROFF:
			log_notice("the guest is off");
			return 0;
		case VM_DEBUG_EXIT:
			return atomic_load(&vm.exit_status);
		case VM_NONE:
		case VM_FAILED:
			return 1;
		}
	}
}
