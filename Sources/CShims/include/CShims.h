// What only C can say: each of these inlines into the caller, or names what Swift's module of glibc leaves out.
#ifndef MYRIAD_SHIMS_H
#define MYRIAD_SHIMS_H

#include "instructions.h"
#include "prefetch.h"
#include "resources.h"
#include "spawn_more.h"

#endif
