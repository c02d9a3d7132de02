#pragma once

namespace kvasir {

/// Starts the program once more with a short wait of OpenMP's threads, unless a wait is set already; called
/// first in main, with main's own `values`. They wait for work by spinning, by default for about 16 ms, which
/// starves the rest of a busy machine and makes this program many times slower there; some microseconds bridge
/// the gaps between the products of one token. The library reads the setting while it is loaded, so a running
/// program cannot change it.
void shortenThreadWaiting(char** values);

}  // namespace kvasir
