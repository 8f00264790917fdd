//! Bounds on what a script can make the server hold.

/// What the interpreter may take in all, in bytes.
pub(crate) const MEMORY_BYTES_MAX: usize = 256 << 20;

/// What the interpreter may take when it has read a script, in bytes: the rest is for those that
/// run.
pub(crate) const MEMORY_BYTES_READ_MAX: usize = 160 << 20;

/// When a script has ended and the interpreter takes more than this, it gives back what it does not
/// need.
pub(crate) const MEMORY_KEPT_BYTES_MAX: usize = 64 << 20;

/// What one call of a function may make outside of the interpreter, in bytes: a text that follows
/// from few values that are met again and again, a request, or a reply.
pub(crate) const MADE_BYTES_MAX: usize = MEMORY_BYTES_MAX;

/// What a function does in about the time of so many instructions as there are between two signs of
/// life, in bytes.
pub(crate) const WORK_BYTES_PER_TICK: usize = 16 << 10;

/// The stack of the interpreter, in words. Only what is used of it takes memory.
pub(crate) const STACK_WORDS: usize = (16 << 20) / size_of::<usize>();

/// Instructions after which the engine is asked whether a script may go on.
pub(crate) const INSTRUCTIONS_PER_TICK: u32 = 10_000;

/// How deep tables may lie in one another in what a script returns.
pub(crate) const REPLY_DEPTH_MAX: usize = 1000;

/// Memory for messages that is kept from one script to the next, in bytes.
pub(crate) const BUFFER_KEPT_BYTES_MAX: usize = 64 * 1024;

/// Flags that a function may be given, the same ones counted again.
pub(crate) const FLAGS_MAX: usize = 64;
