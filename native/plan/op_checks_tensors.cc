// The rules of everything that is not a layer: elementwise and shape operations, loss, images, update.
#include "base/pointwise.h"
#include "plan/op_checks_node.h"
#include "plan/step_params.h"

namespace eraserelu {

namespace {

void relu_op(const Node& n) { n.expect(n.shape("x"), {"y"}); }
void relu_bwd(const Node& n) { n.expect(n.shape("dy"), {"y", "dx"}); }
void add(const Node& n) { n.expect(n.shape("a"), {"b", "y"}); }

void concat(const Node& n) {
  Shape joined = n.shape("x");
  const std::int64_t axis = n.attributes.integer("axis");
  require(axis >= 0 && axis < static_cast<std::int64_t>(joined.size()), "axis ", axis, " is not a dimension of ",
          to_string(joined));
  joined[axis] = 0;
  for (const Operand& operand : n.operands()) {
    if (operand.name != "x") continue;
    Shape other = operand.tensor->shape;
    require(other.size() == joined.size(), "concat of different ranks");
    const std::int64_t extent = std::exchange(other[axis], joined[axis]);
    require(other == joined, "the inputs may differ in dimension ", axis, " only");
    joined[axis] += extent;
  }
  n.expect(joined, {"y"});
}

void slice(const Node& n, const char* whole, const char* part) {
  const Shape& x = n.shape(whole);
  const Shape& y = n.shape(part, x.size());
  const Shape begin = integers(n, "begin", x.size(), 0);
  for (std::size_t i = 0; i < x.size(); ++i)
    require(begin[i] + y[i] <= x[i], "begin ", to_string(begin), " + ", to_string(y), " is outside of ", to_string(x));
}

void dropout(const Node& n, const char* input, const char* output) {
  const double p = n.attributes.number("p");
  require(p >= 0 && p < 1, "p must be in [0,1), got ", p);
  n.attributes.integer("opId");
  require(!n.shape(input).empty(), input, " must have at least 1 dimension");
  n.expect(n.shape(input), {output});
}

void scale_samples(const Node& n) {
  require(!n.shape("x").empty(), "x must have at least 1 dimension");
  n.expect({n.shape("x")[0]}, {"scale"});
  n.expect(n.shape("x"), {"y"});
}

void pointwise_op(const Node& n) {
  const std::string& fn = n.attributes.text("fn");
  const bool two = takes_two(pointwise_fn_named(fn));
  n.attributes.number("alpha"), n.attributes.number("beta");
  require(n.has("b") == two, fn, " takes ", two ? "two operands" : "one operand");
  Shape y = n.shape("a");
  if (two) {
    const Shape& b = n.shape("b", y.size());
    for (std::size_t i = 0; i < y.size(); ++i) {
      require(y[i] == b[i] || y[i] == 1 || b[i] == 1, to_string(n.shape("a")), " and ", to_string(b), " do not broadcast");
      if (y[i] == 1) y[i] = b[i];
    }
  }
  n.expect(y, {"y"});
}

void reduce(const Node& n) {
  const std::string& fn = n.attributes.text("fn");
  require(fn == "sum" || fn == "mean" || fn == "max", "unknown reduction '", fn, "': use sum, mean or max");
  Shape y = n.shape("x");
  for (std::int64_t axis : n.attributes.integers("axes")) {
    require(axis >= 0 && axis < static_cast<std::int64_t>(y.size()), "axis ", axis, " is not a dimension of x");
    y[axis] = 1;
  }
  n.expect(y, {"y"});
}

void cast(const Node& n) { n.expect(n.shape("x"), {"y"}); }
void fill(const Node& n) { n.attributes.number("value"); }
void sum(const Node& n) { n.expect(n.shape("x"), {"total"}); }

void softmax_cross_entropy(const Node& n) {
  check_fraction(n, "labelSmoothing");
  const Shape& logits = n.shape("logits", 2);
  require(n.has("labels2") == n.has("lambda"), "labels2 and lambda come together");
  n.expect({logits[0]}, {"labels", "labels2", "lambda"});
  n.expect(logits, {"dlogits"});
  n.expect({1}, {"loss", "correct1", "correct5", "count"});
}

void image_op(const Node& n, const char* source) {
  const Shape& images = n.shape(source, 4);
  const Shape& x = n.shape("x", 4);
  const std::string& mode = n.attributes.text("padMode");
  const std::int64_t cutout = n.attributes.integer("cutout");
  require(mode == "zero" || mode == "reflect", "unknown padMode '", mode, "': use zero or reflect");
  require(n.attributes.integer("pad") >= 0 && cutout >= 0, "pad and cutout must not be negative");
  require(cutout == 0 || n.has("cutouts"), "cutout ", cutout, " needs the operand cutouts");
  require(x[3] >= images[3], "x must have at least ", images[3], " channels");
  const std::size_t channels = static_cast<std::size_t>(images[3]);
  require(n.attributes.numbers("mean").size() == channels && n.attributes.numbers("std").size() == channels,
          "mean and std need ", channels, " numbers");
  for (double std : n.attributes.numbers("std")) require(std > 0, "std must be positive, got ", std);
  n.expect({x[0], 2}, {"offsets", "cutouts"});
  n.expect({x[0]}, {"flips"});
}

void image_input(const Node& n) {
  image_op(n, "images");
  require(n.shape("images")[0] == n.shape("x")[0], "images and x must have the same number of images");
}

void gather_images(const Node& n) {
  image_op(n, "dataset");
  n.expect({n.shape("x")[0]}, {"indices"});
}

void grad_norm(const Node& n) {
  for (const Operand& operand : n.operands())
    require(operand.name != "gradient" || operand.tensor->shape.size() == 1, "gradient must have 1 dimension");
  n.attributes.number("maxNorm");
  n.expect({1}, {"loss"});
  n.expect({kStateSize}, {"state"});
}

void flat_update(const Node& n) {
  const std::int64_t size = n.shape("weights", 1)[0];
  n.expect({kStateSize}, {"state"});
  const std::vector<std::int64_t> ranges = n.attributes.integers("ranges");
  const std::int64_t groups = static_cast<std::int64_t>(n.attributes.numbers("weightDecay").size());
  require(groups <= kMaxGroups, "at most ", kMaxGroups, " parameter groups");
  require(ranges.size() % 3 == 0, "ranges must be triples of offset, count, group");
  for (std::size_t i = 0; i < ranges.size(); i += 3) {
    require(ranges[i] >= 0 && ranges[i + 1] >= 0 && ranges[i] + ranges[i + 1] <= size, "range ", ranges[i], "+", ranges[i + 1],
            " is outside of ", size, " weights");
    require(ranges[i + 2] >= 0 && ranges[i + 2] < groups, "group ", ranges[i + 2], " has no weightDecay");
  }
}

void sgd_update(const Node& n) {
  flat_update(n);
  n.expect(n.shape("weights"), {"gradient", "velocity"});
  n.attributes.number("dampening"), n.attributes.flag("nesterov");
  require(n.attributes.number("momentum") == 0 || n.has("velocity"), "momentum needs the operand velocity");
}

void adamw_update(const Node& n) {
  flat_update(n);
  n.expect(n.shape("weights"), {"gradient", "m", "v"});
  check_epsilon(n);
  for (const char* name : {"beta1", "beta2"})
    require(n.attributes.number(name) >= 0 && n.attributes.number(name) < 1, name, " must be in [0,1)");
}

void ema_update(const Node& n) {
  check_fraction(n, "decay");
  n.expect(n.shape("weights", 1), {"ema"});
  n.expect({kStateSize}, {"state"});
}

}  // namespace

const Rules kTensorRules = {
    {"relu", relu_op},
    {"reluBwd", relu_bwd},
    {"add", add},
    {"concat", concat},
    {"slice", [](const Node& n) { slice(n, "x", "y"); }},
    {"sliceBwd", [](const Node& n) { slice(n, "dx", "dy"); }},
    {"dropout", [](const Node& n) { dropout(n, "x", "y"); }},
    {"dropoutBwd", [](const Node& n) { dropout(n, "dy", "dx"); }},
    {"scaleSamples", scale_samples},
    {"pointwise", pointwise_op},
    {"reduce", reduce},
    {"cast", cast},
    {"fill", fill},
    {"sum", sum},
    {"softmaxCrossEntropy", softmax_cross_entropy},
    {"imageInput", image_input},
    {"gatherImages", gather_images},
    {"gradNorm", grad_norm},
    {"sgdUpdate", sgd_update},
    {"adamwUpdate", adamw_update},
    {"emaUpdate", ema_update},
};

}  // namespace eraserelu
