# SPDX-License-Identifier: BSD-3-Clause
UNIT_TESTS += vcpu_svm_exit
vcpu_svm_exit_SRCS := tests/unit/vcpu/test_svm_exit.c hypervisor/vcpu/svm/svm_exit.c

UNIT_TESTS += vcpu_vmx_exit
vcpu_vmx_exit_SRCS := tests/unit/vcpu/test_vmx_exit.c hypervisor/vcpu/vmx/vmx_exit.c
vcpu_vmx_exit_CFLAGS := -Itests/unit/vcpu/fake

UNIT_TESTS += vcpu_vmx_check
vcpu_vmx_check_SRCS := tests/unit/vcpu/test_vmx_check.c hypervisor/vcpu/vmx/vmx_check.c
vcpu_vmx_check_CFLAGS := -Itests/unit/vcpu/fake

UNIT_TESTS += vcpu_vmx_apic
vcpu_vmx_apic_SRCS := tests/unit/vcpu/test_vmx_apic.c hypervisor/vcpu/vmx/vmx_apic.c hypervisor/vdev/vlapic.c \
	hypervisor/vdev/vlapic_regs.c hypervisor/vdev/vlapic_timer.c hypervisor/vdev/vlapic_icr.c \
	hypervisor/vdev/apic_bus.c tests/unit/fake/log.c
vcpu_vmx_apic_CFLAGS := -Itests/unit/vcpu/fake

UNIT_TESTS += vcpu_vmx_intercept
vcpu_vmx_intercept_SRCS := tests/unit/vcpu/test_vmx_intercept.c hypervisor/vcpu/vmx/vmx_intercept.c

UNIT_TESTS += vcpu_vmx_posted
vcpu_vmx_posted_SRCS := tests/unit/vcpu/test_vmx_posted.c hypervisor/vcpu/vmx/vmx_posted.c

UNIT_TESTS += vcpu_vmx_probe
vcpu_vmx_probe_SRCS := tests/unit/vcpu/test_vmx_probe.c hypervisor/vcpu/vmx/vmx_probe.c tests/unit/fake/log.c
vcpu_vmx_probe_CFLAGS := -Itests/unit/vcpu/machine

UNIT_TESTS += vcpu_mitigation
vcpu_mitigation_SRCS := tests/unit/vcpu/test_mitigation.c hypervisor/vcpu/mitigation.c tests/unit/fake/log.c
vcpu_mitigation_CFLAGS := -Itests/unit/vcpu/machine
