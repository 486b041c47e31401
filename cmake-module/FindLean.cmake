#[=======================================================================[.rst:
FindLean
--------

Find a Lean 4 toolchain and say what it is::

  find_package(Lean [4.9] [REQUIRED] [QUIET])

Which toolchain that is follows the rules of ``lean_toolchain()`` in ``LeanToolchain.cmake``, for
the source folder that calls. ``Lean_ROOT`` (a folder, or a name as elan takes it) overrides them.

This is for projects that want to know or report. ``add_lean_check()`` does not need it: it finds
the toolchain of each Lean project by itself.

Result variables: ``Lean_FOUND``, ``Lean_PREFIX`` (the toolchain's folder), ``Lean_EXECUTABLE``,
``Lean_LAKE_EXECUTABLE`` (empty for a Lean without Lake), ``Lean_VERSION`` and ``Lean_ORIGIN`` (who
named this toolchain).
#]=======================================================================]
include("${CMAKE_CURRENT_LIST_DIR}/LeanToolchain.cmake")
include(FindPackageHandleStandardArgs)

set(Lean_VERSION "")
set(Lean_EXECUTABLE "")
set(Lean_LAKE_EXECUTABLE "")
if(DEFINED Lean_ROOT)
  lean_toolchain(Lean_PREFIX Lean_ORIGIN TOOLCHAIN "${Lean_ROOT}")
elseif(DEFINED ENV{Lean_ROOT})
  lean_toolchain(Lean_PREFIX Lean_ORIGIN TOOLCHAIN "$ENV{Lean_ROOT}")
else()
  lean_toolchain(Lean_PREFIX Lean_ORIGIN)
endif()

if(Lean_PREFIX)
  set(Lean_EXECUTABLE "${Lean_PREFIX}/bin/lean")
  if(EXISTS "${Lean_PREFIX}/bin/lake")
    set(Lean_LAKE_EXECUTABLE "${Lean_PREFIX}/bin/lake")
  endif()
  execute_process(COMMAND "${Lean_EXECUTABLE}" --version
      OUTPUT_VARIABLE Lean_VERSION OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  string(REGEX REPLACE "^.*version ([0-9][^ ,)]*).*$" "\\1" Lean_VERSION "${Lean_VERSION}")
endif()

find_package_handle_standard_args(Lean
    REQUIRED_VARS Lean_EXECUTABLE
    VERSION_VAR Lean_VERSION
    REASON_FAILURE_MESSAGE "${Lean_ORIGIN}")
