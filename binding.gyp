# Lets `node-gyp rebuild`, and the tools that call it, reach the CMake build.
{
  'targets': [
    {
      'target_name': 'eraserelu',
      'type': 'none',
      'actions': [
        {
          'action_name': 'cmake',
          'inputs': ['<!@(find CMakeLists.txt native scripts -type f)'],
          'outputs': ['<(PRODUCT_DIR)/eraserelu.node'],
          'action': ['node', '<(module_root_dir)/scripts/build_native.mjs'],
        },
      ],
    },
  ],
}
