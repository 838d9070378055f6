#include "finalise.h"

#include <algorithm>
#include <cstdlib>

#include "attribute_rules.h"
#include "engines.h"
#include "operation_checks.h"
#include "runtime_link.h"
#include "serialise.h"
#include "support.h"

namespace simulated_cudnn {
namespace {

thread_local std::string lastKey;

/// One value a spatial dimension in each attribute; paddings may be 0, the others are positive.
void check_spatial(const Object& object, cudnnBackendAttributeName_t dims,
                   std::initializer_list<cudnnBackendAttributeName_t> paddings,
                   std::initializer_list<cudnnBackendAttributeName_t> others) {
  const auto expected = static_cast<std::size_t>(object.value<std::int64_t>(dims));
  const auto check = [&](cudnnBackendAttributeName_t name, std::int64_t least) {
    const std::vector<std::int64_t> values = object.integers(name);
    if (values.size() != expected)
      fail(CUDNN_STATUS_BAD_PARAM, "attribute ", name, " has ", values.size(), " elements, not ", expected);
    for (std::int64_t value : values)
      if (value < least) fail(CUDNN_STATUS_BAD_PARAM, "attribute ", name, " is ", value);
  };
  for (const auto name : paddings) check(name, 0);
  for (const auto name : others) check(name, 1);
}

int architecture_of(const Object& heuristics) {
  const ObjectRef properties = heuristics.child(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP);
  if (properties == nullptr) return device_architecture();
  const std::vector<char>& json = properties->at(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION).bytes;
  const std::string text(json.begin(), json.end());
  const std::size_t at = text.find("\"deviceVer\":");
  if (at == std::string::npos) fail(CUDNN_STATUS_BAD_PARAM, "the device properties have no deviceVer");
  return std::atoi(text.c_str() + at + 12) / 10;
}

void set_notes(Object& object, const Engine& engine) {
  object.store(CUDNN_ATTR_ENGINE_NUMERICAL_NOTE, CUDNN_TYPE_NUMERICAL_NOTE, engine.numerical);
  object.store(CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE, CUDNN_TYPE_BEHAVIOR_NOTE, engine.behaviour);
  object.store_children(CUDNN_ATTR_ENGINE_KNOB_INFO, {});
}

void set_sizes(Object& config, const Engine& engine) {
  config.store<std::int64_t>(CUDNN_ATTR_ENGINECFG_WORKSPACE_SIZE, CUDNN_TYPE_INT64, {engine.workspace});
  config.store<std::int32_t>(CUDNN_ATTR_ENGINECFG_SHARED_MEMORY_USED, CUDNN_TYPE_INT32, {engine.shared});
}

ObjectRef finalised(cudnnBackendDescriptorType_t type) {
  auto object = std::make_shared<Object>(type);
  object->finalized = true;
  return object;
}

ObjectRef config_of(const Engine& engine, const ObjectRef& graph) {
  const ObjectRef object = finalised(CUDNN_BACKEND_ENGINE_DESCRIPTOR);
  object->store_children(CUDNN_ATTR_ENGINE_OPERATION_GRAPH, {graph});
  object->store<std::int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX, CUDNN_TYPE_INT64, {engine.index});
  set_notes(*object, engine);
  std::vector<ObjectRef> choices;
  for (const auto& [type, value] : engine.knobs) {
    choices.push_back(finalised(CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR));
    choices.back()->store<cudnnBackendKnobType_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE, {type});
    choices.back()->store<std::int64_t>(CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, CUDNN_TYPE_INT64, {value});
  }
  const ObjectRef config = finalised(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
  config->store_children(CUDNN_ATTR_ENGINECFG_ENGINE, {object});
  config->store_children(CUDNN_ATTR_ENGINECFG_KNOB_CHOICES, std::move(choices));
  set_sizes(*config, engine);
  return config;
}

void finalise_heuristics(Object& heuristics) {
  const ObjectRef graph = heuristics.child(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH);
  std::vector<Engine> engines = offered_engines();
  const std::size_t plans = supported_plans(graph_of(*graph), architecture_of(heuristics));
  if (plans < engines.size()) engines.resize(plans);
  // The fallback list has engines that are functional rather than fast: here the last one.
  if (heuristics.value<cudnnBackendHeurMode_t>(CUDNN_ATTR_ENGINEHEUR_MODE) == CUDNN_HEUR_MODE_FALLBACK)
    engines.erase(engines.begin(), engines.end() - 1);
  std::vector<ObjectRef> configs;
  for (const Engine& engine : engines) configs.push_back(config_of(engine, graph));
  heuristics.store_children(CUDNN_ATTR_ENGINEHEUR_RESULTS, std::move(configs));
}

void finalise_operation_graph(Object& object) {
  lastKey = eraserelu::graph_key(form_of(graph_of(object)), 0).substr(4);   // without "sm0 "
  std::int64_t engines = 0;
  for (const Engine& engine : offered_engines()) engines = std::max(engines, engine.index + 1);
  object.store<std::int64_t>(CUDNN_ATTR_OPERATIONGRAPH_ENGINE_GLOBAL_COUNT, CUDNN_TYPE_INT64, {engines});
}

void finalise_plan(Object& plan) {
  if (plan.has(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION)) {
    const std::vector<char>& text = plan.at(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION).bytes;
    plan.store_children(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, {engine_config_of(std::string(text.begin(), text.end()))});
  }
  const ObjectRef config = plan.child(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG);
  if (config == nullptr) fail(CUDNN_STATUS_BAD_PARAM, "an execution plan needs an engine configuration");
  plan.attributes[CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE] = config->at(CUDNN_ATTR_ENGINECFG_WORKSPACE_SIZE);
  const std::string text = text_of_plan(config);
  plan.store<char>(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
                   std::vector<char>(text.c_str(), text.c_str() + text.size() + 1));
}

}  // namespace

void finalise(const ObjectRef& object) {
  if (object->finalized) fail(CUDNN_STATUS_BAD_PARAM, "the descriptor is finalised already");
  const bool isPlanFromText =
      object->type == CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR && object->has(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION);
  for (const AttributeRule& rule : rules_of(object->type))
    if (rule.need == Need::required && !object->has(rule.name) && !isPlanFromText)
      fail(CUDNN_STATUS_BAD_PARAM, "required attribute ", rule.text, " is not set");
  switch (object->type) {
    case CUDNN_BACKEND_TENSOR_DESCRIPTOR: tensor_of(*object); break;
    case CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR:
      check_spatial(*object, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS,
                    {CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS},
                    {CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_ATTR_CONVOLUTION_DILATIONS});
      break;
    case CUDNN_BACKEND_RESAMPLE_DESCRIPTOR:
      check_spatial(*object, CUDNN_ATTR_RESAMPLE_SPATIAL_DIMS,
                    {CUDNN_ATTR_RESAMPLE_PRE_PADDINGS, CUDNN_ATTR_RESAMPLE_POST_PADDINGS},
                    {CUDNN_ATTR_RESAMPLE_STRIDES, CUDNN_ATTR_RESAMPLE_WINDOW_DIMS});
      break;
    case CUDNN_BACKEND_POINTWISE_DESCRIPTOR: name_of(object->value<cudnnPointwiseMode_t>(CUDNN_ATTR_POINTWISE_MODE)); break;
    case CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR: finalise_operation_graph(*object); break;
    case CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR: finalise_heuristics(*object); break;
    case CUDNN_BACKEND_ENGINE_DESCRIPTOR:
      set_notes(*object, engine_of(object->value<std::int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX)));
      break;
    case CUDNN_BACKEND_ENGINECFG_DESCRIPTOR:
      set_sizes(*object,
                engine_of(object->child(CUDNN_ATTR_ENGINECFG_ENGINE)->value<std::int64_t>(CUDNN_ATTR_ENGINE_GLOBAL_INDEX)));
      break;
    case CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR: finalise_plan(*object); break;
    case CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR:
      if (object->at(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS).count != object->at(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS).count)
        fail(CUDNN_STATUS_BAD_PARAM, "a variant pack has as many unique ids as pointers");
      break;
    default: check_operation(*object);
  }
  object->finalized = true;
}

const Object& engine_of_plan(const Object& plan) {
  return *plan.child(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG)->child(CUDNN_ATTR_ENGINECFG_ENGINE);
}

const Object& graph_of_plan(const Object& plan) { return *engine_of_plan(plan).child(CUDNN_ATTR_ENGINE_OPERATION_GRAPH); }

const std::string& last_key() { return lastKey; }

}  // namespace simulated_cudnn
