// SPDX-License-Identifier: MIT
#pragma once

#include "osiiso/process_queue.hpp"
#include "osiiso/thread_queue.hpp"

#include "queue/awaited_queue.hpp"

// For TEST_CASE_TEMPLATE: what holds for every kind of queue.
#define OSIISO_QUEUES osiiso::ThreadQueue, osiiso::ProcessQueue, osiiso::test::AwaitedQueue
