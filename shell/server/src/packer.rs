//! Packs full chunks of streams, on a thread that holds nobody up.
//!
//! The lock is held to get a batch and to hand it in, not for the work itself. It is not part of
//! the timer, because the timer's work must not wait for it.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use journal::contained;

use crate::shard::Shard;

/// How long the packer sleeps if there is nothing to pack. Packing is never urgent.
const PERIOD: Duration = Duration::from_millis(100);

/// Runs until the other end of `stop` is dropped.
pub(crate) fn run(shard: &Arc<Shard>, stop: &Receiver<()>) {
    let mut pause = Duration::ZERO;
    while stop.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
        let batch = shard.lock().engine.begin_packing();
        pause = Duration::ZERO;
        match batch {
            Some(mut batch) => {
                let packed = contained(|| {
                    batch.run();
                    Ok(())
                });
                if let Err(error) = packed {
                    tracing::error!(%error, "chunks of a stream are not packed");
                }
                let now = shard.clock.now();
                shard.lock().engine.end_packing(&mut batch, now);
            }
            None => pause = PERIOD,
        }
    }
}
