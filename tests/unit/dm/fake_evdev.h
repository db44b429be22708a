/* SPDX-License-Identifier: BSD-3-Clause */
/* The host's end of the input device that the tests have. */
#pragma once

extern int fake_evdev_host;
