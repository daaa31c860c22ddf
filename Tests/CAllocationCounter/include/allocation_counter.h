#pragma once

/// Starts to count the heap allocations of the calling thread, from 0.
void allocation_counter_start(void);

/// Stops counting and returns how many there were.
long allocation_counter_stop(void);
