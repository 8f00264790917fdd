//! The overview as it changes, for pages that are open.

use std::sync::Arc;

use hyper::StatusCode;
use hyper::body::Bytes;
use tokio::sync::mpsc;

use super::server::Overview;
use crate::http::{Answer, Body, Fault};
use crate::limits::EVENT_PAUSE;
use crate::rights::Rights;
use crate::routes::Asked;

/// What each event is called.
pub(crate) const OVERVIEW: &str = "overview";

pub(crate) async fn listen(asked: Asked<'_>) -> Result<Answer, Fault> {
    let caller = asked.caller;
    caller.rights().await?.sees_server()?;
    let served = Arc::clone(&caller.served);
    let place = Arc::clone(&served.listeners).try_acquire_owned();
    let place = place.map_err(|_| {
        let message = "too many listen to events";
        Fault::new(StatusCode::SERVICE_UNAVAILABLE, "full", message)
    })?;
    let user = caller.user().to_vec();
    // Whoever does not read gets no more events, rather than all of them later.
    let (events, received) = mpsc::channel(1);
    tokio::spawn(async move {
        let _place = place;
        loop {
            // Rights may have changed since the last one.
            let rights = served.shard.look(|engine, _| Rights::of(engine, &user));
            if rights.is_none_or(|rights| rights.sees_server().is_err()) {
                return;
            }
            let survey = served.surveys.latest().await;
            let overview = Overview::of(&served.shard, &survey);
            let Ok(data) = serde_json::to_string(&overview) else {
                return;
            };
            let event = Bytes::from(format!("event: {OVERVIEW}\ndata: {data}\n\n"));
            if events.send(event).await.is_err() {
                return;
            }
            tokio::time::sleep(EVENT_PAUSE).await;
        }
    });
    Ok(Answer {
        content_type: "text/event-stream",
        body: Body::Pieces(received),
        ..Answer::text(StatusCode::OK, "")
    })
}
