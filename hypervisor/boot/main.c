/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How the hypervisor starts, one step a line. boot/entry.S comes here on the boot CPU with the low
 * 4 GiB mapped twice (identity and direct map); take_memory() replaces that by our own tables.
 * What the loader left is read before, since afterwards it is guest memory behind SMAP.
 */
#include "boot/boot_info.h"
#include "boot/boot_memory.h"
#include "boot/multiboot.h"
#include "boot/service_source.h"
#include "config/scenario.h"
#include "config/slice.h"
#include "debug/console.h"
#include "debug/dump.h"
#include "hw/cpu.h"
#include "hw/fb.h"
#include "hw/ioapic.h"
#include "hw/lapic.h"
#include "hw/lapic_timer.h"
#include "hw/last_log.h"
#include "hw/paging.h"
#include "hw/panic.h"
#include "hw/pci.h"
#include "hw/pci_sriov.h"
#include "hw/percpu.h"
#include "hw/platform.h"
#include "hw/selftest.h"
#include "hw/smp.h"
#include "hw/smp_call.h"
#include "hw/tsc.h"
#include "iommu/iommu.h"
#include "lib/atomic.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/util.h"
#include "mm/memmap.h"
#include "vcpu/backend.h"
#include "vm/run.h"
#include "vm/service.h"
#include "vm/watchdog.h"

#define LOW_4G 0x100000000UL
#define LOW_1M 0x100000UL
#define VGA_TEXT 0xB8000UL
#define POOL_FIXED (10UL << 20)
#define POOL_PART 256U /* of RAM */

_Noreturn void boot_main(hpa_t information);

static struct boot_info boot;
static struct scenario scenario;
static struct memmap memmap;
static hpa_t trampoline;
static hpa_t last_log = HPA_INVALID;
static uint32_t ready_cpus; /* those whose run queues are there; of the others than the boot CPU */

/* Where the loader's memory can be read before our own tables are loaded. */
static const void *early_map(hpa_t at, uint64_t size)
{
	return at < LOW_4G && size <= LOW_4G - at ? phys_to_virt(at) : NULL;
}

/* What stands behind the first word of the command line that begins so, or NULL. */
static const char *option_value(const char *option)
{
	size_t len = strlen(option);

	for (const char *at = boot.cmdline; at != NULL; at = strchr(at, ' ')) {
		at += *at == ' ';
		if (strncmp(at, option, len) == 0)
			return at + len;
	}
	return NULL;
}

static bool has_option(const char *option)
{
	const char *end = option_value(option);

	return end != NULL && (*end == '\0' || *end == ' ');
}

static void read_loader_information(hpa_t information)
{
	const char *error = "";

	if (multiboot_parse(information, early_map, &boot, &error) != 0)
		panic_refuse("the boot loader's information is unusable: %s", error);
	if (has_option("panic=halt"))
		panic_set_policy(PANIC_HALT);
	vcpu_plain_apic = has_option("apic=plain");
}

static void read_scenario(void)
{
	const struct boot_module *conf = boot_info_module(&boot, "acrn.conf");
	struct scenario_error error;
	const void *text;

	if (conf == NULL)
		panic_refuse("the boot entry has no module named acrn.conf");
	text = early_map(conf->base, conf->size);
	if (text == NULL)
		panic_refuse("acrn.conf was loaded above 4 GiB");
	if (!scenario_parse(text, conf->size, &scenario, &error) ||
	    !scenario_is_supported(&scenario, &error))
		panic_refuse("acrn.conf:%u:%u: %s", error.at.line, error.at.column, error.text);
}

/* The screen's place and mode; false when it is none that we can write to. */
static bool find_screen(struct fb_mode *mode, hpa_t *base)
{
	const struct boot_framebuffer *f = &boot.framebuffer;

	*mode = (struct fb_mode){.width = f->width,
				 .height = f->height,
				 .pitch = f->pitch,
				 .pixel_size = f->bpp / 8U,
				 .is_text = f->is_text};
	*base = f->base;
	if (f->width != 0)
		return f->is_text || f->bpp == 24 || f->bpp == 32;
	/* A BIOS machine whose loader does not say: VGA text, as BIOS leaves it. */
	*mode = (struct fb_mode){.width = 80, .height = 25, .pitch = 160, .is_text = true};
	*base = VGA_TEXT;
	return boot.efi_systab == 0;
}

/*
 * Called on the boot tables and again on ours, which have the screen at the same address of the
 * direct map: what goes wrong in between is to be seen, too.
 */
static void show_on_screen(void)
{
	static bool is_shown;
	bool is_early = paging_tables()->root == NULL;
	struct fb_mode mode;
	hpa_t base;

	if (!find_screen(&mode, &base))
		return;
	mode.base = is_early ? (void *)early_map(base, (uint64_t)mode.pitch * mode.height)
			     : paging_map_mmio(base, (uint64_t)mode.pitch * mode.height, PG_WC);
	if (!is_shown && mode.base != NULL) {
		console_init_screen(&mode);
		is_shown = true;
	}
}

static hpa_t take(uint64_t size, uint64_t align, hpa_t limit, const char *what)
{
	hpa_t at = memmap_allocate(&memmap, size, align, limit, MEMMAP_HYPERVISOR);

	if (at == HPA_INVALID)
		panic_refuse("no %lu KiB of memory below 0x%lx for %s", size >> 10, limit, what);
	return at;
}

/* Where the boot entry wants the log to be (log=ADDRESS), since the system behind a failed start looks for it there. */
static bool find_log_address(hpa_t *at)
{
	const char *text = option_value("log=");
	const char *end = text == NULL ? NULL : strchr(text, ' ');
	struct slice word = {text, 0};

	if (text == NULL)
		return false;
	word.len = end == NULL ? strlen(text) : (size_t)(end - text);
	if (!slice_number(word, LOW_4G - LAST_LOG_SIZE, at) || !IS_ALIGNED(*at, PAGE_SIZE)) {
		log_warn("log=%s: not the address of a page below 4 GiB", text);
		return false;
	}
	return true;
}

/*
 * The same place at each start, so that the last run's log is found: amid the memory below 4 GiB, away from its ends,
 * where firmware and loaders live. No such place is no reason not to start. A loader that has cut a log out of the
 * memory map has done so for a system that was not started, then.
 */
static void take_last_log(void)
{
	hpa_t limit = ALIGN_DOWN(MIN(memmap_top(&memmap), LOW_4G) / 2, SIZE_2M);
	hpa_t at;

	if (find_log_address(&at)) {
		limit = at + LAST_LOG_SIZE;
		if (last_log_is_at(at) && memmap_override(&memmap, at, LAST_LOG_SIZE, MEMMAP_HYPERVISOR) == 0) {
			last_log = at;
			return;
		}
	}
	last_log = memmap_allocate(&memmap, LAST_LOG_SIZE, PAGE_SIZE, limit, MEMMAP_HYPERVISOR);
}

static void take_memory(void)
{
	static struct paging_range ranges[MEMMAP_MAX_RANGES];
	size_t count = 0;
	hpa_t image = paging_image_start();
	uint64_t pool_size;
	hpa_t pool;

	if (boot_memory_map(&boot, early_map, &memmap) != 0)
		panic_refuse("the boot loader gives no usable memory map");
	if (memmap_override(&memmap, image, paging_image_end() - image, MEMMAP_HYPERVISOR) != 0)
		panic_refuse("the memory map has too many ranges");
	take_last_log();
	pool_size = ALIGN_UP(POOL_FIXED + memmap_total(&memmap, MEMMAP_RAM) / POOL_PART, SIZE_2M);
	pool = take(pool_size, SIZE_2M, LOW_4G, "page tables and VMs");
	trampoline = take(PAGE_SIZE, PAGE_SIZE, LOW_1M, "starting CPUs");

	for (uint32_t i = 0; i < memmap.count; i++) {
		const struct memmap_range *r = &memmap.ranges[i];
		bool is_guest = r->type == MEMMAP_RAM || r->type == MEMMAP_BOOT_SERVICES ||
				r->type == MEMMAP_MODULE;

		if (is_guest || r->type == MEMMAP_HYPERVISOR)
			ranges[count++] = (struct paging_range){r->base, r->size, is_guest};
	}
	paging_init(ranges, count, pool, pool_size);
	show_on_screen();
	log_info("memory: %lu MiB for guests, %lu KiB for the hypervisor",
		 memmap_total(&memmap, MEMMAP_RAM) >> 20,
		 memmap_total(&memmap, MEMMAP_HYPERVISOR) >> 10);
}

static void init_interrupts(void)
{
	i8259_disable();
	lapic_init_cpu();
	percpu_init_boot(lapic_id());
	lapic_timer_calibrate();
	lapic_timer_init_cpu();
	(void)ioapic_init();
	smp_call_init();
}

/* Where every CPU ends up, the boot CPU last. */
static _Noreturn void cpu_main(void)
{
	run_init_cpu();
	(void)atomic_fetch_add(&ready_cpus, 1U);
	run_cpu();
}

static void start_cpus(void)
{
	unsigned int running = smp_start(trampoline, cpu_main);

	while (atomic_load(&ready_cpus) != running - 1)
		cpu_relax();
	log_info("cpu: %s, %u running", cpu_features.brand, running);
}

_Noreturn void boot_main(hpa_t information)
{
	console_init_early();
	cpu_probe();
	cpu_set_controls();
	descriptor_init();
	dump_init();
	read_loader_information(information);
	show_on_screen();
	log_notice("ACRN hypervisor " ACRN_VERSION ", started by %s", boot.loader);
	read_scenario();
	take_memory();
	console_configure(&scenario);
	if (last_log != HPA_INVALID)
		last_log_init(last_log);
	platform_discover(boot.rsdp);
	tsc_calibrate();
	init_interrupts();
	pci_init();
	pci_sriov_init();
	iommu_init(&platform_acpi);
	vcpu_backend_probe();
	start_cpus();
	if (log_get_level() >= LOG_DEBUG)
		(void)selftest_run();
	if (has_option("crash=fault"))
		selftest_crash();
	log_notice("hypervisor ready on %u CPUs", cpu_count());
	run_init_cpu();
	service_vm_start(service_source(&scenario, &boot), &memmap);
	watchdog_arm(scenario.watchdog);
	fb_hand_over();
	run_cpu();
}
