// The packed word that drives a flush buffer, as pure functions.
//
//   63........32 | 31.........8 | 7.........2 | 1        | 0
//   write offset | writer count | generation  | flushing | sealed
//
// Invariants
// - A reservation adds its length and one writer in a single addition. The write offset is the top
//   field, so an overshoot has nothing above it to carry into; it stays inside its 32 bits because
//   at most kMaxConcurrentReservers threads can be between their check and their undo, each with at
//   most kMaxBufferBytes (asserted below).
// - The writer count is at most the number of threads, below 2^24 on every Linux.
#pragma once

#include <cstdint>

#include "lss/ring/ring_options.h"

namespace lss {

struct BufferState {
  uint32_t write_offset = 0;  // bytes reserved so far, overshoot included
  uint32_t writers = 0;       // reservations not yet left
  uint32_t generation = 0;    // changes at every reuse of the buffer, modulo kGenerations
  bool flushing = false;      // somebody has claimed the duty to flush
  bool sealed = false;        // no reservation succeeds any more
};

inline constexpr uint32_t kGenerations = 64;
inline constexpr uint64_t kMaxConcurrentReservers = 4094;

inline constexpr uint64_t kSealedBit = 1U << 0;
inline constexpr uint64_t kFlushingBit = 1U << 1;
inline constexpr unsigned kGenerationShift = 2;
inline constexpr unsigned kWriterShift = 8;
inline constexpr unsigned kOffsetShift = 32;
inline constexpr uint64_t kOneWriter = 1ULL << kWriterShift;
inline constexpr uint64_t kMaxWriters = (1ULL << (kOffsetShift - kWriterShift)) - 1;

static_assert(kGenerations == 1U << (kWriterShift - kGenerationShift), "generation fills its bits");
static_assert(static_cast<uint64_t>(kMaxBufferBytes) * (kMaxConcurrentReservers + 1) <
                  1ULL << (64 - kOffsetShift),
              "an overshoot must stay inside the write offset");
static_assert(kMaxConcurrentReservers <= kMaxWriters, "the writer count must hold every reserver");

constexpr uint64_t Encode(const BufferState& state) {
  return static_cast<uint64_t>(state.write_offset) << kOffsetShift |
         static_cast<uint64_t>(state.writers) << kWriterShift |
         static_cast<uint64_t>(state.generation) << kGenerationShift |
         (state.flushing ? kFlushingBit : 0) | (state.sealed ? kSealedBit : 0);
}

constexpr BufferState Decode(uint64_t word) {
  BufferState state;
  state.write_offset = static_cast<uint32_t>(word >> kOffsetShift);
  state.writers = static_cast<uint32_t>((word >> kWriterShift) & kMaxWriters);
  state.generation = static_cast<uint32_t>((word >> kGenerationShift) & (kGenerations - 1));
  state.flushing = (word & kFlushingBit) != 0;
  state.sealed = (word & kSealedBit) != 0;
  return state;
}

// What a reservation of `length` bytes adds to the word, and what undoing it subtracts.
constexpr uint64_t ReserveDelta(uint32_t length) {
  return static_cast<uint64_t>(length) << kOffsetShift | kOneWriter;
}

// Generation of a buffer in lap `lap` of the ring.
constexpr uint32_t GenerationOfLap(uint64_t lap) {
  return static_cast<uint32_t>(lap % kGenerations);
}

}  // namespace lss
