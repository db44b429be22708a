/*
 * SPDX-License-Identifier: BSD-3-Clause
 *
 * shim, when it started us, knows the distribution's and the owner's keys, and offers its check as a
 * protocol. Without it the firmware is asked to load the kernel as an image, which it does not do
 * with a bad signature; the image is given back unstarted.
 */
#include "secure.h"

struct shim_lock {
	EFI_STATUS(__attribute__((sysv_abi)) *verify)(VOID *buffer, UINT32 size);
};

static struct shim_lock *find_shim(struct stub *stub)
{
	EFI_GUID guid = {0x605dab50, 0xe046, 0x4300, {0xab, 0xb6, 0x3d, 0xd8, 0x10, 0xdd, 0x8b, 0x23}};
	struct shim_lock *shim;

	return EFI_ERROR(stub->st->BootServices->LocateProtocol(&guid, NULL, (VOID **)&shim)) ? NULL : shim;
}

bool secure_has_shim(struct stub *stub)
{
	return find_shim(stub) != NULL;
}

bool secure_is_on(struct stub *stub)
{
	EFI_GUID global = EFI_GLOBAL_VARIABLE;
	UINT8 value = 0;
	UINTN size = sizeof(value);
	EFI_STATUS status = stub->st->RuntimeServices->GetVariable((CHAR16 *)L"SecureBoot", &global, NULL, &size,
								   &value);

	return !EFI_ERROR(status) && size == 1 && value == 1;
}

bool secure_accepts(struct stub *stub, const struct stub_file *kernel)
{
	EFI_BOOT_SERVICES *bs = stub->st->BootServices;
	EFI_HANDLE handle = NULL;
	struct shim_lock *shim = find_shim(stub);
	EFI_STATUS status;

	if (!secure_is_on(stub))
		return true;
	if (shim != NULL)
		return kernel->size <= 0xffffffff && !EFI_ERROR(shim->verify(kernel->base, (UINT32)kernel->size));
	status = bs->LoadImage(FALSE, stub->image, stub->loaded->FilePath, kernel->base, kernel->size, &handle);
	if (handle != NULL)
		bs->UnloadImage(handle);
	return !EFI_ERROR(status);
}
