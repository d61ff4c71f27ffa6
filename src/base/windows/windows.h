/* windows.h: <windows.h> without what it has of names that others have, too. SPDX-License-Identifier: MIT */
#ifndef SKP_BASE_WINDOWS_WINDOWS_H
#define SKP_BASE_WINDOWS_WINDOWS_H

#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>

/* Sets errno to what stands for the last error of Windows; -1, as calls return that have failed. */
int skp__windows_failed(void);

#endif
