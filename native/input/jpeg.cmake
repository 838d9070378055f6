# libjpeg-turbo: the system's or CMAKE_PREFIX_PATH's, else the pinned wheel's static library (-DCMAKE_DISABLE_FIND_PACKAGE_JPEG=ON: that one
# in any case). Another libjpeg, which cannot decode parts of an image, is passed over.
include(CheckCXXSymbolExists)
find_package(JPEG QUIET)
if(JPEG_FOUND)
  set(CMAKE_REQUIRED_INCLUDES ${JPEG_INCLUDE_DIRS})
  set(CMAKE_REQUIRED_LIBRARIES ${JPEG_LIBRARIES})
  check_cxx_symbol_exists(jpeg_crop_scanline "cstdio;jpeglib.h" ERASERELU_JPEG_CROPS)
  unset(CMAKE_REQUIRED_INCLUDES)
  unset(CMAKE_REQUIRED_LIBRARIES)
endif()
if(NOT (JPEG_FOUND AND ERASERELU_JPEG_CROPS))
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
  if(JPEG_LIBRARIES MATCHES "\\.so")
    execute_process(COMMAND ${CMAKE_COMMAND} -E env LC_ALL=C ${CMAKE_READELF} -d ${JPEG_LIBRARIES} OUTPUT_VARIABLE dynamic)
    if(NOT dynamic MATCHES "soname: \\[([^]]+)\\]")
      message(FATAL_ERROR "${JPEG_LIBRARIES} names no soname")
    endif()
    add_custom_command(TARGET ${target} POST_BUILD
      COMMAND ${CMAKE_COMMAND} -E copy_if_different ${JPEG_LIBRARIES} $<TARGET_FILE_DIR:${target}>/${CMAKE_MATCH_1})
  else()
    target_link_options(${target} PRIVATE LINKER:--exclude-libs,libjpeg.a)
  endif()
  add_custom_command(TARGET ${target} POST_BUILD
    COMMAND ${CMAKE_COMMAND} -E copy_directory ${CMAKE_SOURCE_DIR}/native/third_party/libjpeg-turbo
            $<TARGET_FILE_DIR:${target}>/licenses/libjpeg-turbo)
endfunction()
