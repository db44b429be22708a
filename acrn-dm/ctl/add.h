/* SPDX-License-Identifier: BSD-3-Clause */
/* Launch scripts of VMs that acrnctl keeps: NAME.sh and NAME.args in the folder of the VMs. */
#pragma once

/* What "acrn-dm" is while acrnctl add runs a script: writes its last word into the file that the caller waits for. */
int add_take_name(int argc, char **argv);
