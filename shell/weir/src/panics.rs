//! Panics in the log: a bug of weir is reported with what its authors need to find it.

use std::backtrace::Backtrace;
use std::panic::{PanicHookInfo, set_hook, take_hook};
use std::thread;

use tracing::Level;

/// From now on panics are reported in the log if it takes errors, and otherwise on standard error.
pub(crate) fn go_to_the_log() {
    let usual = take_hook();
    set_hook(Box::new(move |panic| {
        if tracing::enabled!(Level::ERROR) {
            report(panic);
        } else {
            usual(panic);
        }
    }));
}

fn report(panic: &PanicHookInfo<'_>) {
    let thread = thread::current();
    let place = panic.location().map(ToString::to_string);
    tracing::error!(
        thread = thread.name().unwrap_or_default(),
        place = place.unwrap_or_default(),
        "panic: {}\n{}",
        panic.payload_as_str().unwrap_or_default(),
        Backtrace::force_capture()
    );
}
