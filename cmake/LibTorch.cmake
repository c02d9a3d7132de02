# Target kvasir_torch: LibTorch's CPU libraries and headers, from the unpacked PyPI wheel `torch`.
# The wheel's own CMake package insists on a CUDA installation, so its libraries are imported here.
include_guard(GLOBAL)

file(STRINGS "${CMAKE_CURRENT_LIST_DIR}/downloads.txt" torch_line REGEX "^run +torch==")
string(REGEX REPLACE ".*torch==([0-9.]+).*" "\\1" KVASIR_TORCH_VERSION "${torch_line}")
if(DEFINED ENV{KVASIR_CACHE})
  set(kvasir_cache "$ENV{KVASIR_CACHE}")
elseif(DEFINED ENV{XDG_CACHE_HOME})
  set(kvasir_cache "$ENV{XDG_CACHE_HOME}/kvasir")
elseif(WIN32)
  set(kvasir_cache "$ENV{LOCALAPPDATA}/Kvasir/cache")
else()
  set(kvasir_cache "$ENV{HOME}/.cache/kvasir")
endif()
file(TO_CMAKE_PATH "${kvasir_cache}" kvasir_cache)
set(KVASIR_LIBTORCH "${kvasir_cache}/libtorch-${KVASIR_TORCH_VERSION}" CACHE PATH
  "LibTorch's folder, with include and lib: on Windows and macOS, the wheel's torch folder")

set(torch_version_header "${KVASIR_LIBTORCH}/include/torch/headeronly/version.h")
if(NOT EXISTS "${torch_version_header}")
  message(FATAL_ERROR "LibTorch ${KVASIR_TORCH_VERSION} is not in '${KVASIR_LIBTORCH}': run './dev setup', "
    "or unpack the PyPI wheel torch ${KVASIR_TORCH_VERSION} and name its torch folder with -DKVASIR_LIBTORCH=…")
endif()
file(STRINGS "${torch_version_header}" torch_numbers REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) ")
string(REGEX MATCHALL "[0-9]+" torch_numbers "${torch_numbers}")
list(JOIN torch_numbers "." torch_found)
if(NOT torch_found STREQUAL KVASIR_TORCH_VERSION)
  message(FATAL_ERROR "'${KVASIR_LIBTORCH}' holds LibTorch ${torch_found}, but Kvasir is built and tested with "
    "${KVASIR_TORCH_VERSION}: run './dev setup'")
endif()

# The executables must reach torch_cpu; its own neighbours (gomp, cudart, cupti) it finds beside itself.
add_library(kvasir_torch INTERFACE IMPORTED GLOBAL)
foreach(part IN ITEMS c10 torch_cpu)
  add_library(kvasir_${part} SHARED IMPORTED GLOBAL)
  if(WIN32)
    set(library "${KVASIR_LIBTORCH}/lib/${part}.dll")
    set_target_properties(kvasir_${part} PROPERTIES IMPORTED_IMPLIB "${KVASIR_LIBTORCH}/lib/${part}.lib")
  elseif(APPLE)
    set(library "${KVASIR_LIBTORCH}/lib/lib${part}.dylib")
  else()
    set(library "${KVASIR_LIBTORCH}/lib/lib${part}.so")
  endif()
  if(NOT EXISTS "${library}")
    message(FATAL_ERROR "LibTorch is incomplete, '${library}' is missing: run './dev setup'")
  endif()
  set_target_properties(kvasir_${part} PROPERTIES IMPORTED_LOCATION "${library}")
endforeach()
target_link_libraries(kvasir_torch INTERFACE kvasir_torch_cpu kvasir_c10)
target_include_directories(kvasir_torch SYSTEM INTERFACE
  "${KVASIR_LIBTORCH}/include" "${KVASIR_LIBTORCH}/include/torch/csrc/api/include")
# at::parallel_for is compiled into our sources: it needs OpenMP there, and the same OpenMP library as torch_cpu.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NOT APPLE)
  target_compile_options(kvasir_torch INTERFACE -fopenmp)
  target_link_libraries(kvasir_torch INTERFACE "${KVASIR_LIBTORCH}/lib/libgomp.so.1")
elseif(MSVC)
  target_compile_options(kvasir_torch INTERFACE /openmp)
endif()
if(APPLE)
  # torch_cpu names its OpenMP library by @rpath.
  target_link_options(kvasir_torch INTERFACE "LINKER:-rpath,${KVASIR_LIBTORCH}/lib")
endif()
