//! Which path means what.

use std::sync::Arc;

use hyper::{Method, StatusCode};

use crate::health;
use crate::http::{Answer, Call, Caller, Fault};
use crate::metrics::{self, Choice, Snapshot};
use crate::query::Query;

/// Answers a request.
pub(crate) async fn answer(caller: &mut Caller, call: &Call) -> Result<Answer, Fault> {
    let shard = &caller.served.shard;
    match call.path.as_str() {
        "/healthz" => {
            reads(call)?;
            Ok(Answer::text(StatusCode::OK, "ok\n"))
        }
        "/readyz" => {
            reads(call)?;
            Ok(match health::readiness(shard) {
                Ok(()) => Answer::text(StatusCode::OK, "ready\n"),
                Err(why) => {
                    let reason = format!("{}\n", why.reason());
                    Answer::text(StatusCode::SERVICE_UNAVAILABLE, reason)
                }
            })
        }
        "/metrics" => {
            reads(call)?;
            metrics(caller, Query::parse(call.query.as_deref())?).await
        }
        _ => Err(Fault::not_found("there is nothing at this path")),
    }
}

async fn metrics(caller: &mut Caller, query: Query) -> Result<Answer, Fault> {
    let choice = Choice::parse(query)?;
    let rights = caller.rights().await?;
    rights.sees_server()?;
    let survey = caller.served.surveys.latest().await;
    let shard = Arc::clone(&caller.served.shard);
    let write = move || Snapshot::take(&shard, survey, &choice, &rights).write();
    let page = tokio::task::spawn_blocking(write).await;
    match page {
        Ok(Ok(page)) => Ok(Answer {
            content_type: metrics::CONTENT_TYPE,
            ..Answer::text(StatusCode::OK, page)
        }),
        Ok(Err(_)) | Err(_) => Err(Fault::internal("the metrics cannot be written")),
    }
}

/// The request only reads.
fn reads(call: &Call) -> Result<(), Fault> {
    match call.method {
        Method::GET | Method::HEAD => Ok(()),
        _ => Err(Fault::method("GET, HEAD")),
    }
}
