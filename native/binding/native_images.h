// NativeImageFiles and NativeImageReader: the JavaScript faces of input/image_files.h and input/image_reader.h.
#pragma once

#include <napi.h>

#include <memory>
#include <optional>
#include <vector>

#include "input/image_reader.h"

namespace eraserelu {

class NativeImageFiles : public Napi::ObjectWrap<NativeImageFiles> {
 public:
  static Napi::Function define_class(Napi::Env env);

  explicit NativeImageFiles(const Napi::CallbackInfo& info);   // (root: string, files: Uint8Array, labels: Int32Array, pieces?)

  std::shared_ptr<const ImageFiles> files() const { return files_; }

 private:
  // (indices: Int32Array, { format, shorter, quality, threads }): Promise<{ bytes, lengths, checksums, heights, widths, faults }>
  Napi::Value recode(const Napi::CallbackInfo& info);

  std::shared_ptr<const ImageFiles> files_;
};

class NativeImageReader : public Napi::ObjectWrap<NativeImageReader> {
 public:
  static Napi::Function define_class(Napi::Env env);

  explicit NativeImageReader(const Napi::CallbackInfo& info);   // (files: NativeImageFiles, options, ring: BatchPlace[])

  void Finalize(Napi::Env env) override;

 private:
  Napi::Value next(const Napi::CallbackInfo& info);   // (): Promise<{ place, count, faults }>, one at a time
  Napi::Value stop(const Napi::CallbackInfo& info);   // (): void; a promise that is open is rejected
  void settle(Napi::Env env);
  void end(Napi::Env env);

  std::shared_ptr<NativeImageReader*> self_;   // holds null when this is gone; for what the reader's threads have posted
  std::vector<Napi::Reference<Napi::Value>> kept_;   // the arrays of the ring
  std::unique_ptr<ImageReader> reader_;
  std::optional<Napi::Promise::Deferred> waiting_;
};

}  // namespace eraserelu
