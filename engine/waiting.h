#pragma once

namespace kvasir {

/// Does nothing when called: a program that refers to it gets the short waiting of threads, set up before it starts.
void linkShortWaiting();

}  // namespace kvasir
