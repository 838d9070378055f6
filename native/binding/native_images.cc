#include "binding/native_images.h"

#include <algorithm>

#include "binding/decode.h"
#include "binding/environment.h"
#include "input/recode.h"

namespace eraserelu {

namespace {

double number(const Napi::Object& object, const char* key) { return object.Get(key).As<Napi::Number>().DoubleValue(); }
std::size_t count(const Napi::Object& object, const char* key) { return static_cast<std::size_t>(number(object, key)); }

std::vector<std::int32_t> integers(const Napi::Value& value) {
  const auto array = value.As<Napi::Int32Array>();
  return std::vector<std::int32_t>(array.Data(), array.Data() + array.ElementLength());
}

NameList names(const Napi::Value& value) {
  const auto bytes = value.As<Napi::Uint8Array>();
  return NameList(std::string(reinterpret_cast<const char*>(bytes.Data()), bytes.ByteLength()));
}

std::vector<ImagePiece> decode_pieces(const Napi::Object& object) {
  const auto files = object.Get("files").As<Napi::Int32Array>();
  const auto offsets = object.Get("offsets").As<Napi::Float64Array>(), lengths = object.Get("lengths").As<Napi::Float64Array>();
  const Napi::Value given = object.Get("checksums");
  const std::size_t size = files.ElementLength();
  check(offsets.ElementLength() == size && lengths.ElementLength() == size, "arrays of several sizes");
  std::vector<ImagePiece> pieces(size);
  for (std::size_t i = 0; i < size; ++i)
    pieces[i] = {static_cast<std::uint32_t>(files[i]), static_cast<std::uint64_t>(offsets[i]), static_cast<std::uint64_t>(lengths[i]), 0};
  if (given.IsUndefined()) return pieces;
  const auto checksums = given.As<Napi::Uint32Array>();
  check(checksums.ElementLength() == size, "arrays of several sizes");
  for (std::size_t i = 0; i < size; ++i) pieces[i].checksum = checksums[i];
  return pieces;
}

ViewRule decode_rule(const Napi::Object& object) {
  ViewRule rule;
  rule.height = static_cast<int>(number(object, "height"));
  rule.width = static_cast<int>(number(object, "width"));
  rule.random = object.Get("random").As<Napi::Boolean>().Value();
  rule.min_scale = number(object, "minScale");
  rule.max_scale = number(object, "maxScale");
  rule.min_ratio = number(object, "minRatio");
  rule.max_ratio = number(object, "maxRatio");
  rule.flip = object.Get("flip").As<Napi::Boolean>().Value();
  rule.resize = static_cast<int>(number(object, "resize"));
  return rule;
}

ColourRule decode_colour(const Napi::Object& object) {
  return {number(object, "brightness"), number(object, "contrast"), number(object, "saturation"), number(object, "lighting")};
}

ErasingRule decode_erasing(const Napi::Object& object) {
  ErasingRule rule;
  rule.probability = number(object, "probability");
  rule.min_scale = number(object, "minScale");
  rule.max_scale = number(object, "maxScale");
  rule.min_ratio = number(object, "minRatio");
  rule.max_ratio = number(object, "maxRatio");
  rule.noise = object.Get("noise").As<Napi::Boolean>().Value();
  const auto colour = object.Get("colour").As<Napi::Array>();
  for (std::uint32_t c = 0; c < 3; ++c) rule.colour[c] = static_cast<std::uint8_t>(colour.Get(c).As<Napi::Number>().Uint32Value());
  return rule;
}

ReaderOptions decode_options(const Napi::Object& object) {
  ReaderOptions options;
  options.view = decode_rule(object.Get("view").As<Napi::Object>());
  options.colour = decode_colour(object.Get("colour").As<Napi::Object>());
  options.erasing = decode_erasing(object.Get("erasing").As<Napi::Object>());
  options.seed = static_cast<std::uint64_t>(number(object, "seed"));
  options.epoch = static_cast<std::uint64_t>(number(object, "epoch"));
  options.order = integers(object.Get("order"));
  options.batch_size = count(object, "batchSize");
  options.first_batch = count(object, "firstBatch");
  options.ahead = count(object, "ahead");
  options.threads = count(object, "threads");
  options.max_faulty = count(object, "maxFaulty");
  return options;
}

/// `array` must have this many elements: threads will write there.
template <typename T>
T* data_of(const Napi::Value& value, std::size_t elements) {
  auto array = value.As<Napi::TypedArrayOf<T>>();
  check(array.ElementLength() == elements, "an array of ", array.ElementLength(), " elements for a batch of ", elements);
  return array.Data();
}

}  // namespace

Napi::Function NativeImageFiles::define_class(Napi::Env env) {
  return DefineClass(env, "NativeImageFiles", {InstanceMethod<&NativeImageFiles::recode>("recode")});
}

NativeImageFiles::NativeImageFiles(const Napi::CallbackInfo& info) : Napi::ObjectWrap<NativeImageFiles>(info) {
  translated(info.Env(), [&] {
    std::string root = info[0].As<Napi::String>().Utf8Value();
    if (info[3].IsUndefined()) {
      files_ = std::make_shared<const ImageFiles>(std::move(root), names(info[1]), integers(info[2]));
      return;
    }
    const auto pieces = info[3].As<Napi::Object>();
    const bool checked = !pieces.Get("checksums").IsUndefined();
    files_ = std::make_shared<const ImageFiles>(std::move(root), names(info[1]), integers(info[2]), decode_pieces(pieces),
                                                names(pieces.Get("names")), checked);
  });
}

namespace {

RecodeRule decode_recoding(const Napi::Object& object) {
  const std::string format = object.Get("format").As<Napi::String>().Utf8Value();
  RecodeRule rule;
  rule.format = format == "jpeg" ? RecodeRule::Format::Jpeg : format == "raw" ? RecodeRule::Format::Raw : RecodeRule::Format::Keep;
  rule.shorter = static_cast<int>(number(object, "shorter"));
  rule.quality = static_cast<int>(number(object, "quality"));
  return rule;
}

Napi::Value recoded_to_js(Napi::Env env, const std::vector<Recoded>& images) {
  std::size_t total = 0;
  for (const Recoded& image : images) {
    if (image.fault && image.fault->code() == ErrorCode::OutOfMemory) throw *image.fault;   // no fault of the image
    total += image.bytes.size();
  }
  auto bytes = Napi::Uint8Array::New(env, total);
  auto lengths = Napi::Float64Array::New(env, images.size());
  auto checksums = Napi::Uint32Array::New(env, images.size());
  auto heights = Napi::Int32Array::New(env, images.size()), widths = Napi::Int32Array::New(env, images.size());
  Napi::Object faults = Napi::Object::New(env);
  std::uint8_t* to = bytes.Data();
  for (std::size_t i = 0; i < images.size(); ++i) {
    const Recoded& image = images[i];
    to = std::copy(image.bytes.begin(), image.bytes.end(), to);
    lengths[i] = static_cast<double>(image.bytes.size());
    checksums[i] = image.checksum;
    heights[i] = image.height;
    widths[i] = image.width;
    if (image.fault) faults.Set(static_cast<std::uint32_t>(i), Napi::String::New(env, image.fault->what()));
  }
  Napi::Object result = Napi::Object::New(env);
  result.Set("bytes", bytes);
  result.Set("lengths", lengths);
  result.Set("checksums", checksums);
  result.Set("heights", heights);
  result.Set("widths", widths);
  result.Set("faults", faults);
  return result;
}

}  // namespace

Napi::Value NativeImageFiles::recode(const Napi::CallbackInfo& info) {
  const auto options = info[1].As<Napi::Object>();
  const AbortFlag stop = std::make_shared<std::atomic<bool>>(false);
  const auto results = std::make_shared<std::vector<Recoded>>();
  const auto work = [files = files_, indices = integers(info[0]), rule = decode_recoding(options), threads = count(options, "threads"), stop,
                     results] { *results = eraserelu::recode(*files, indices, rule, threads, *stop); };
  return translated(info.Env(), [&] {
    const auto done = [results](Napi::Env env) { return recoded_to_js(env, *results); };
    return Environment::of(info.Env()).submit(info.Env(), Runner::of("cpu"), work, done, stop);
  });
}

Napi::Function NativeImageReader::define_class(Napi::Env env) {
  return DefineClass(env, "NativeImageReader",
                     {InstanceMethod<&NativeImageReader::next>("next"), InstanceMethod<&NativeImageReader::stop>("stop")});
}

NativeImageReader::NativeImageReader(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<NativeImageReader>(info), self_(std::make_shared<NativeImageReader*>(this)) {
  const Napi::Env env = info.Env();
  translated(env, [&] {
    ReaderOptions options = decode_options(info[1].As<Napi::Object>());
    const auto ring = info[2].As<Napi::Array>();
    const std::size_t pixels = static_cast<std::size_t>(options.view.height) * static_cast<std::size_t>(options.view.width);
    for (std::uint32_t i = 0; i < ring.Length(); ++i) {
      const auto place = ring.Get(i).As<Napi::Object>();
      options.ring.push_back({data_of<std::uint8_t>(place.Get("images"), 3 * options.batch_size * pixels),
                              data_of<std::int32_t>(place.Get("labels"), options.batch_size)});
      for (const char* key : {"images", "labels"}) kept_.push_back(Napi::Reference<Napi::Value>::New(place.Get(key), 1));
    }
    Environment& environment = Environment::of(env);
    const auto arrived = [&environment, self = self_] {
      environment.post([self](Napi::Env env) {
        if (*self) (*self)->settle(env);
      });
    };
    reader_ = std::make_unique<ImageReader>(NativeImageFiles::Unwrap(info[0].As<Napi::Object>())->files(), std::move(options), arrived);
    environment.on_close(this, [this] { reader_->stop(); });
  });
}

Napi::Value NativeImageReader::next(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  translated(env, [&] { check(reader_ && !waiting_, "an image reader was asked for a batch when it could not give one"); });
  waiting_ = Napi::Promise::Deferred::New(env);
  const Napi::Promise promise = waiting_->Promise();
  Environment::of(env).hold(env);
  Ref();   // until the promise is settled
  settle(env);
  return promise;
}

void NativeImageReader::settle(Napi::Env env) {
  if (!waiting_) return;
  const Napi::Promise::Deferred deferred = *waiting_;
  try {
    check(reader_ != nullptr, "the image reader was stopped");
    const std::optional<ReadBatch> batch = reader_->take();
    if (!batch) return;
    Napi::Object result = Napi::Object::New(env);
    result.Set("place", Napi::Number::New(env, static_cast<double>(batch->place)));
    result.Set("count", Napi::Number::New(env, static_cast<double>(batch->count)));
    Napi::Array faults = Napi::Array::New(env);
    for (const Fault& fault : batch->faults) faults.Set(faults.Length(), Napi::String::New(env, fault));
    result.Set("faults", faults);
    deferred.Resolve(result);
  } catch (const std::exception& error) {
    deferred.Reject(to_js_error(env, error).Value());
  }
  waiting_.reset();
  Environment::of(env).release(env);
  Unref();
}

Napi::Value NativeImageReader::stop(const Napi::CallbackInfo& info) {
  end(info.Env());
  settle(info.Env());
  return info.Env().Undefined();
}

void NativeImageReader::Finalize(Napi::Env env) {
  end(env);
  *self_ = nullptr;
}

void NativeImageReader::end(Napi::Env env) {
  if (!reader_) return;
  Environment::of(env).off_close(this);
  reader_.reset();
  kept_.clear();
}

}  // namespace eraserelu
