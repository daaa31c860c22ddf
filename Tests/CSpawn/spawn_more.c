#include "spawn_more.h"
