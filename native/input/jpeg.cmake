# libjpeg-turbo 2.0.6 or newer: the system's or CMAKE_PREFIX_PATH's, else the pinned wheel's static library
# (-DCMAKE_DISABLE_FIND_PACKAGE_JPEG=ON: that one in any case). Older ones decode parts of an image wrong, other libjpegs cannot do it.
include(CheckCXXSourceCompiles)
find_package(JPEG QUIET)
unset(ERASERELU_JPEG_USABLE CACHE)   # another one may be installed since
if(JPEG_FOUND)
  set(CMAKE_REQUIRED_INCLUDES ${JPEG_INCLUDE_DIRS})
  set(CMAKE_REQUIRED_LIBRARIES ${JPEG_LIBRARIES})
  set(CMAKE_REQUIRED_QUIET ON)
  check_cxx_source_compiles("
    #include <cstdio>
    #include <jpeglib.h>
    static_assert(LIBJPEG_TURBO_VERSION_NUMBER >= 2000006, \"too old\");
    int main() { return reinterpret_cast<long>(&jpeg_crop_scanline) == 0; }" ERASERELU_JPEG_USABLE)
  unset(CMAKE_REQUIRED_INCLUDES)
  unset(CMAKE_REQUIRED_LIBRARIES)
  unset(CMAKE_REQUIRED_QUIET)
endif()
if(NOT ERASERELU_JPEG_USABLE)
  if(JPEG_FOUND)
    message(STATUS "${JPEG_LIBRARIES} is not libjpeg-turbo 2.0.6 or newer: the pinned one is taken")
  endif()
  find_program(ERASERELU_NODE NAMES node nodejs REQUIRED)
  execute_process(COMMAND ${ERASERELU_NODE} ${CMAKE_SOURCE_DIR}/scripts/fetch_jpeg.mjs RESULT_VARIABLE fetch_status)
  if(NOT fetch_status EQUAL 0)
    message(FATAL_ERROR "libjpeg-turbo is not installed and could not be fetched (see above). "
                        "An own build is found through -DCMAKE_PREFIX_PATH or the environment variable CMAKE_PREFIX_PATH.")
  endif()
  set(JPEG_INCLUDE_DIRS ${CMAKE_SOURCE_DIR}/.deps/jpeg/include)
  set(JPEG_LIBRARIES ${CMAKE_SOURCE_DIR}/.deps/jpeg/lib/libjpeg.a)
endif()
message(STATUS "libjpeg-turbo: ${JPEG_LIBRARIES}")

# Links it. A shared one is put beside the addon under the name by which it is looked for, so that the folder can be moved or shipped.
function(use_jpeg target)
  target_include_directories(${target} SYSTEM PRIVATE ${JPEG_INCLUDE_DIRS})
  target_link_libraries(${target} PRIVATE ${JPEG_LIBRARIES})
  # One that an earlier build put there is not left to be shipped.
  file(GLOB earlier ${CMAKE_LIBRARY_OUTPUT_DIRECTORY}/libjpeg.so*)
  if(JPEG_LIBRARIES MATCHES "\\.so")
    execute_process(COMMAND ${CMAKE_COMMAND} -E env LC_ALL=C ${CMAKE_READELF} -d ${JPEG_LIBRARIES} OUTPUT_VARIABLE dynamic)
    if(NOT dynamic MATCHES "soname: \\[([^]]+)\\]")
      message(FATAL_ERROR "${JPEG_LIBRARIES} names no soname")
    endif()
    list(REMOVE_ITEM earlier ${CMAKE_LIBRARY_OUTPUT_DIRECTORY}/${CMAKE_MATCH_1})
    add_custom_command(TARGET ${target} POST_BUILD
      COMMAND ${CMAKE_COMMAND} -E copy_if_different ${JPEG_LIBRARIES} $<TARGET_FILE_DIR:${target}>/${CMAKE_MATCH_1})
  else()
    target_link_options(${target} PRIVATE LINKER:--exclude-libs,libjpeg.a)
  endif()
  if(earlier)
    file(REMOVE ${earlier})
  endif()
  add_custom_command(TARGET ${target} POST_BUILD
    COMMAND ${CMAKE_COMMAND} -E copy_directory ${CMAKE_SOURCE_DIR}/native/third_party/libjpeg-turbo
            $<TARGET_FILE_DIR:${target}>/licenses/libjpeg-turbo)
endfunction()
