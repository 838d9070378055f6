// The loops of convolutions with few channels a group; grouped_convolution.h says what they are parts of. A vector holds whole groups:
// what a lane needs of others of its group comes by a shuffle within the register.
#pragma once

#include <algorithm>
#include <cstdint>

#include "onednn/simd/lanes.h"
#include "onednn/simd/loops.h"

namespace eraserelu {
namespace {

template <int Group, int Member, int... Lane>
inline Lanes spread_member(Lanes value, std::integer_sequence<int, Lane...>) {
#ifdef __clang__
  return __builtin_shufflevector(value, value, (Lane / Group * Group + Member)...);
#else   // g++ has that one from version 12 on
  typedef int Numbers __attribute__((vector_size(sizeof(Lanes))));
  return __builtin_shuffle(value, Numbers{(Lane / Group * Group + Member)...});
#endif
}

/// Every lane gets the given member of its group.
template <int Group, int Member>
inline Lanes member_of(const float* pixel) {
  if constexpr (Group == kLanes) return Lanes{} + pixel[Member];
  return spread_member<Group, Member>(load(pixel), std::make_integer_sequence<int, kLanes>());
}

void grouped_copy_loop(const float* from, std::int64_t pitch, std::int64_t count, float* to) {
  for (std::int64_t i = 0; i < count; ++i) store(to + i * kLanes, load(from + i * pitch));
}

/// Behind a pointer: a compiler may take a function that only asks for memory for one without effects, and drop its calls.
void grouped_fetch_loop(const float* from, std::int64_t pitch, std::int64_t begin, std::int64_t end, std::int64_t channels) {
  constexpr int kLine = 16;   // floats of a line of the cache
  for (std::int64_t i = begin; i < end; ++i)
    for (std::int64_t channel = 0; channel < channels; channel += kLine) __builtin_prefetch(from + i * pitch + channel, 0, 2);
}

/// How windows lie in a row of the input: those of neighbouring pixels are Step columns apart. Of Spread columns only one, Phase, has a
/// pixel; the others are zero and not in memory.
template <int Step, int Spread, int Phase>
struct Windows {
  static constexpr int kStep = Step, kSpread = Spread, kPhase = Phase;
};

/// Pixels [first, first + Pixels) of a row of the output.
template <int Group, int Pixels, typename Window>
inline void grouped_pixels(const GroupedRow& a, std::int64_t first) {
  for (int pixel = 0; pixel < Pixels; ++pixel) __builtin_prefetch(a.y + (first + pixel) * a.pitch, 1);   // else the stores wait for them
  Lanes sums[Pixels];
  const Lanes bias = a.bias ? load(a.bias) : Lanes{};
  unrolled<Pixels>([&](auto pixel) { sums[pixel] = bias; });
  for (int row = 0; row < 3; ++row) {
    if (!a.rows[row]) continue;
    const float* x = a.rows[row] + first * Window::kStep / Window::kSpread * kLanes;
    const float* filter = a.filter + row * 3 * Group * kLanes;
    unrolled<Group>([&](auto member) ERASERELU_INLINE {
      const Lanes taps[3] = {load(filter + member * kLanes), load(filter + (Group + member) * kLanes),
                             load(filter + (2 * Group + member) * kLanes)};
      unrolled<(Pixels - 1) * Window::kStep + 3>([&](auto column) ERASERELU_INLINE {
        if constexpr (column % Window::kSpread == Window::kPhase) {
          const Lanes value = member_of<Group, member>(x + column / Window::kSpread * kLanes);
          unrolled<3>([&](auto tap) ERASERELU_INLINE {
            constexpr int from = column - tap, pixel = from / Window::kStep;
            if constexpr (from >= 0 && from % Window::kStep == 0 && pixel < Pixels) sums[pixel] += value * taps[tap];
          });
        }
      });
    });
  }
  unrolled<Pixels>([&](auto pixel) {
    const std::int64_t at = (first + pixel) * a.pitch;
    Lanes value = sums[pixel];
    if (a.addend) value += load(a.addend + at);
    if (a.relu) value = value <= 0.0f ? Lanes{} : value;   // a NaN stays one
    store(a.y + at, value);
  });
}

/// All of a row: as many pixels at once as the registers hold, then fewer.
template <int Group, int Pixels, typename Window>
inline void grouped_rest(const GroupedRow& a, std::int64_t first) {
  for (; first + Pixels <= a.width; first += Pixels) grouped_pixels<Group, Pixels, Window>(a, first);
  if constexpr (Pixels > 1) grouped_rest<Group, Pixels / 2, Window>(a, first);
}

template <int Group, typename Window>
void grouped_row_loop(const GroupedRow& a) {
  grouped_rest<Group, 8, Window>(a, 0);
}

/// Members of the filters that one pass over the pixels adds up; its sums, three a member, stay in registers.
template <int Group>
constexpr int kMembersAtOnce = std::min(Group, kRegisters / 4);

template <int Group, int First, int Step>
inline void grouped_gradient(const GroupedGradient& a) {
  constexpr int kMembers = kMembersAtOnce<Group>;
  Lanes sums[3][kMembers] = {};
  for (std::int64_t row = 0; row < a.rows; ++row) {
    const float* x = a.x + row * a.xRow;
    const float* dy = a.dy + row * a.width * kLanes;
    for (std::int64_t pixel = 0; pixel < a.width; ++pixel, x += Step * kLanes, dy += kLanes) {
      const Lanes taps[3] = {load(x), load(x + kLanes), load(x + 2 * kLanes)};
      unrolled<kMembers>([&](auto member) {
        const Lanes value = member_of<Group, First + member>(dy);
        unrolled<3>([&](auto tap) { sums[tap][member] += taps[tap] * value; });
      });
    }
  }
  unrolled<3>([&](auto tap) {
    unrolled<kMembers>([&](auto member) {
      float* sum = a.sums + (tap * Group + First + member) * kLanes;
      store(sum, load(sum) + sums[tap][member]);
    });
  });
}

template <int Group, int Step>
void grouped_gradient_loop(const GroupedGradient& a) {
  unrolled<Group / kMembersAtOnce<Group>>([&](auto pass) { grouped_gradient<Group, pass * kMembersAtOnce<Group>, Step>(a); });
}

template <int Group>
constexpr GroupedLoops grouped_loops() {
  if constexpr (Group > kLanes) return {};
  else
    return {grouped_copy_loop, grouped_fetch_loop,
            {grouped_row_loop<Group, Windows<1, 1, 0>>, grouped_row_loop<Group, Windows<2, 1, 0>>},
            {grouped_row_loop<Group, Windows<1, 2, 0>>, grouped_row_loop<Group, Windows<1, 2, 1>>},
            {grouped_gradient_loop<Group, 1>, grouped_gradient_loop<Group, 2>}};
}

}  // namespace
}  // namespace eraserelu
