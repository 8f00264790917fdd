//! Panics after which a process must not continue.
//!
//! If a panic may leave something half done that others would see, or leave others waiting for
//! ever, the process ends as if it had been killed: what was acknowledged is in the log, and a
//! restart finds a state that really existed. Code that works on such a thing holds a
//! [`PanicEndsProcess`] meanwhile.

use std::io::Write;
use std::process::abort;
use std::thread;

/// A panic that unwinds past this ends the process.
#[derive(Debug)]
pub struct PanicEndsProcess {
    message: &'static str,
    /// Made while another panic unwinds, by code that cleans up after it: that panic is not ours.
    is_cleanup: bool,
}

impl PanicEndsProcess {
    /// Guards from now until it is dropped. `message` says what has failed and what to do.
    #[inline]
    pub fn with(message: &'static str) -> PanicEndsProcess {
        PanicEndsProcess {
            message,
            is_cleanup: thread::panicking(),
        }
    }
}

impl Drop for PanicEndsProcess {
    #[inline]
    fn drop(&mut self) {
        if thread::panicking() && !self.is_cleanup {
            end(self.message);
        }
    }
}

#[cold]
fn end(message: &str) -> ! {
    if tracing::enabled!(tracing::Level::ERROR) {
        tracing::error!("{message}");
    } else {
        // Nothing is lost if nobody listens.
        writeln!(std::io::stderr(), "{message}").ok();
    }
    abort()
}
