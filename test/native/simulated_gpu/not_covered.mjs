// The lines of native/cuda/ that no test on the simulated GPU runs (npm run coverage:gpu), as they stand there, with the reason.
export const notCovered = [
  {
    file: 'convolution_form.cc',
    lines: ['fail(ErrorCode::Internal, desc.to_string(), " is no convolution");'],
    reason: 'no other operation gets here: it ends a function that must return',
  },
  {
    file: 'cudnn_graph.cc',
    lines: ['default: fail(ErrorCode::Unsupported, "cuDNN computes with no tensors of type ", name_of(dtype));'],
    reason: 'plans refuse convolutions and batch norms of other types before (native/plan/op_checks_types.cc)',
  },
  {
    file: 'cudnn_graph.cc',
    lines: [
      'void describe(fe::graph::Graph& graph, const std::string& properties) {',
      'auto device = std::make_shared<fe::DeviceProperties>();',
      'ask(device->deserialize(std::vector<std::uint8_t>(properties.begin(), properties.end())));',
      String.raw`const std::string key = "\"deviceVer\":";   // 100 * major + 10 * minor`,
      'graph.set_device_properties(device).set_sm_version(std::stoi(properties.substr(properties.find(key) + key.size())) / 10);',
    ],
    reason: 'a GPU that is only described: asked of the real cuDNN, by npm run check:cudnn',
  },
  {
    file: 'engine_check.h',
    lines: ['virtual double own_seconds() { return 0; }'],
    reason: 'of a check without kernels of our own, which are not timed then: it ends a function that must return',
  },
  {
    file: 'engine_choice.cc',
    lines: ['struct KnownDevice {'],
    reason: "the compiler's own destructor: what is known of a device is never destroyed",
  },
  {
    file: 'engine_choice.cc',
    lines: ['taken_ = kOwn;   // untimed: there was too little memory'],
    reason: 'memory that was there for each engine when it was timed would have to be gone when the fastest is built again',
  },
  {
    file: 'kernels/pointwise.cu',
    lines: ['fail(ErrorCode::Internal, "no kernel for pointwise function ", static_cast<int>(o.fn));'],
    reason: 'all functions are among the cases before: it ends a function that must return',
  },
]
