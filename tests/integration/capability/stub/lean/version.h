#pragma once

/* The row that is imitated comes from the build. */
#define LEAN_VERSION_MAJOR 4
#define LEAN_VERSION_MINOR STUB_MINOR
#define LEAN_VERSION_PATCH 0
#define LEAN_VERSION_IS_RELEASE (STUB_MINOR > 0)
#if STUB_MINOR >= 27
#define LEAN_VERSION_STRING "4." STUB_TEXT(STUB_MINOR) ".0"
#define STUB_TEXT(minor) STUB_TEXT_OF(minor)
#define STUB_TEXT_OF(minor) #minor
#endif
