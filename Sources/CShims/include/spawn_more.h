// glibc shows these to C alone: Swift's own module of it is made without _GNU_SOURCE.
#ifndef MYRIAD_SPAWN_MORE_H
#define MYRIAD_SPAWN_MORE_H

#include <spawn.h>

/// Closes every descriptor from `first` on in the child.
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int first);

/// Lets the child start in a directory.
int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *directory);

#endif
