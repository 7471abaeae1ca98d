// SIGBUS handlers stacked on each other: the one that was there before ours gets what is not ours.
//
// Thread safety: PutOnTop and IsOnTop from any thread; PassOn from the handler.
#pragma once

#include <csignal>

namespace lss::signal_chain {

using Handler = void (*)(int, siginfo_t*, void*);

// Makes `handler` the process's handler of SIGBUS unless it is. What it displaces is called by
// PassOn. `handler` is the same in every call.
void PutOnTop(Handler handler);
bool IsOnTop(Handler handler);

// Calls what was displaced last, as the kernel would have: with its mask, or by its default action.
// Called again by that (it chains to us, too), calls what was displaced before it.
void PassOn(int signal, siginfo_t* info, void* context);

}  // namespace lss::signal_chain
