//! Has full chunks of streams packed, in a thread that holds nobody up.
//!
//! The lock is held to ask for a batch and to hand it in, not for the work itself. It is no part of the timer,
//! since what the timer does must not wait for it.

use std::sync::Arc;
use std::time::Duration;

use crate::shard::Shard;

/// How long the packer sleeps where nothing is to be packed. What is to be packed is in no hurry.
const PERIOD: Duration = Duration::from_millis(100);

/// Runs until the server stops.
pub(crate) async fn run(shard: Arc<Shard>) {
    loop {
        let now = shard.clock.now();
        let (batch, is_due) = {
            let engine = &mut shard.lock().engine;
            (engine.begin_packing(now), engine.is_packing_due(now))
        };
        let Some(mut batch) = batch else {
            if is_due {
                tokio::task::yield_now().await;
            } else {
                tokio::time::sleep(PERIOD).await;
            }
            continue;
        };
        let work = tokio::task::spawn_blocking(move || {
            batch.run();
            batch
        });
        // It fails only if the runtime ends; then nobody misses it.
        let Ok(mut batch) = work.await else {
            return;
        };
        let now = shard.clock.now();
        shard.lock().engine.end_packing(&mut batch, now);
        drop(batch);
    }
}
