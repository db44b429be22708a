# SPDX-License-Identifier: BSD-3-Clause
# Unit tests of the device model.

include $(ROOT)/tests/unit/dm/virtio.mk
include $(ROOT)/tests/unit/dm/core.mk
include $(ROOT)/tests/unit/dm/passthru.mk
