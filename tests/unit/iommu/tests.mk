# SPDX-License-Identifier: BSD-3-Clause

IOMMU_TABLES := hypervisor/mm/pgtable.c hypervisor/mm/pgtable_format.c hypervisor/mm/page_pool.c \
	tests/unit/fake/log.c tests/unit/fake/panic.c tests/unit/iommu/fake_machine.c

UNIT_TESTS += iommu_domains
iommu_domains_SRCS := tests/unit/iommu/test_domains.c hypervisor/iommu/iommu.c hypervisor/iommu/topology.c $(IOMMU_TABLES)

UNIT_TESTS += iommu_amdvi
iommu_amdvi_SRCS := tests/unit/iommu/test_amdvi.c \
	$(patsubst %,hypervisor/iommu/amdvi/%.c,amdvi amdvi_format amdvi_irq amdvi_unit) $(IOMMU_TABLES)

UNIT_TESTS += iommu_vtd
iommu_vtd_SRCS := tests/unit/iommu/test_vtd.c $(patsubst %,hypervisor/iommu/vtd/%.c,vtd vtd_format vtd_irq vtd_unit) \
	$(IOMMU_TABLES)
