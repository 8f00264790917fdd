//! What goes back to those who call: a status, a body, and the headers that keep a browser from
//! doing with it what it should not.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body_util::Full;
use hyper::Response;
use hyper::StatusCode;
use hyper::body::{Bytes, Frame, SizeHint};
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderValue,
    REFERRER_POLICY, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use schemars::JsonSchema;
use serde::Serialize;
use tokio::sync::mpsc;

/// What a browser may do with what it gets: show it, with what comes from here and nothing else.
/// No script may make elements of text: what a server holds is shown, never run.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'; require-trusted-types-for 'script'; \
                      trusted-types 'none'";

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content_type: &'static str,
    pub(crate) body: Body,
    pub(crate) allow: Option<&'static str>,
    /// What tells this body from others, if a browser may keep it and ask whether it is still good.
    pub(crate) etag: Option<&'static str>,
}

/// What an answer carries.
#[derive(Debug)]
pub(crate) enum Body {
    /// All of it.
    Whole(Full<Bytes>),
    /// Pieces that come one after another, until nobody sends any more.
    Pieces(mpsc::Receiver<Bytes>),
}

/// Why there is no answer to the question, with the status that says so.
#[derive(Debug)]
pub(crate) struct Fault {
    status: StatusCode,
    /// A word for programs.
    code: &'static str,
    message: String,
    allow: Option<&'static str>,
}

/// Why there is no answer to the question.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Fault")]
pub(crate) struct Told {
    /// The reason in a word, for programs.
    error: &'static str,
    /// The reason in a sentence.
    message: String,
}

impl Answer {
    /// Text that is read as it is.
    pub(crate) fn text(status: StatusCode, text: impl Into<String>) -> Answer {
        Answer {
            status,
            content_type: "text/plain; charset=utf-8",
            body: Body::whole(text.into().into_bytes()),
            allow: None,
            etag: None,
        }
    }

    /// A value as JSON.
    pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Answer {
        match serde_json::to_vec(value) {
            Ok(body) => Answer {
                status,
                content_type: "application/json",
                body: Body::whole(body),
                allow: None,
                etag: None,
            },
            // Only a map whose keys are no strings cannot be written.
            Err(error) => Answer::text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        }
    }

    /// The answer with all its headers.
    pub(crate) fn into_response(self) -> Response<Body> {
        let is_unauthorized = self.status == StatusCode::UNAUTHORIZED;
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        for (name, value) in [
            (CONTENT_TYPE, self.content_type),
            (CONTENT_SECURITY_POLICY, POLICY),
            (CACHE_CONTROL, "no-store"),
            (REFERRER_POLICY, "no-referrer"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (X_FRAME_OPTIONS, "DENY"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        if let Some(etag) = self.etag
            && let Ok(etag) = HeaderValue::try_from(format!("\"{etag}\""))
        {
            headers.insert(ETAG, etag);
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        }
        if is_unauthorized {
            let scheme = HeaderValue::from_static("Basic realm=\"weir\", charset=\"UTF-8\"");
            headers.insert(WWW_AUTHENTICATE, scheme);
        }
        if let Some(methods) = self.allow {
            headers.insert(ALLOW, HeaderValue::from_static(methods));
        }
        response
    }
}

impl Body {
    fn whole(bytes: Vec<u8>) -> Body {
        Body::Whole(Full::from(bytes))
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Body::Whole(body) => Pin::new(body).poll_frame(context),
            Body::Pieces(pieces) => {
                let piece = pieces.poll_recv(context);
                piece.map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Body::Whole(body) => body.is_end_stream(),
            Body::Pieces(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Whole(body) => body.size_hint(),
            Body::Pieces(_) => SizeHint::default(),
        }
    }
}

impl Fault {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Fault {
        Fault {
            status,
            code,
            message: message.into(),
            allow: None,
        }
    }

    /// Its status.
    #[cfg(test)]
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    /// The request is not one that can be answered.
    pub(crate) fn bad(message: impl Into<String>) -> Fault {
        Fault::new(StatusCode::BAD_REQUEST, "bad-request", message)
    }

    /// What is asked for is not there.
    pub(crate) fn not_found(message: impl Into<String>) -> Fault {
        Fault::new(StatusCode::NOT_FOUND, "not-found", message)
    }

    /// This program is wrong.
    pub(crate) fn internal(message: impl Into<String>) -> Fault {
        Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
    }

    /// The path is there, and not by this method.
    pub(crate) fn method(allow: &'static str) -> Fault {
        let message = format!("this path takes {allow}");
        let fault = Fault::new(StatusCode::METHOD_NOT_ALLOWED, "method", message);
        Fault {
            allow: Some(allow),
            ..fault
        }
    }
}

impl From<Fault> for Answer {
    fn from(fault: Fault) -> Answer {
        let told = Told {
            error: fault.code,
            message: fault.message,
        };
        Answer {
            allow: fault.allow,
            ..Answer::json(fault.status, &told)
        }
    }
}
