// SPDX-License-Identifier: MIT
#pragma once

/// Everything but `async_queue.hpp`, which brings Asio with it.
#include "osiiso/batch.hpp"
#include "osiiso/callable.hpp"
#include "osiiso/command.hpp"
#include "osiiso/completions.hpp"
#include "osiiso/duration.hpp"
#include "osiiso/error.hpp"
#include "osiiso/hooks.hpp"
#include "osiiso/process_queue.hpp"
#include "osiiso/queue_options.hpp"
#include "osiiso/queue_stats.hpp"
#include "osiiso/run_summary.hpp"
#include "osiiso/sync_queue.hpp"
#include "osiiso/task_body.hpp"
#include "osiiso/task_context.hpp"
#include "osiiso/task_group.hpp"
#include "osiiso/task_handle.hpp"
#include "osiiso/task_options.hpp"
#include "osiiso/task_result.hpp"
#include "osiiso/thread_queue.hpp"
#include "osiiso/version.hpp"
