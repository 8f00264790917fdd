//! One connection: its requests one after another, and the client of the server that runs for them.

use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use engine::config::HttpConfig;
use engine::users::DEFAULT_USER;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, IF_NONE_MATCH};
use hyper::server::conn::http1::Builder;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use server::Shard;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, Semaphore, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::answer::{Answer, Body, Fault};
use super::credentials::Said;
use super::tokens::Tokens;
use super::{credentials, guard};
use crate::client::{Client, ClientError, Credentials};
use crate::limits::{
    BODY_BYTES_MAX, CONNECTION_TIME, END_TIME, HEAD_BYTES_MAX, HEAD_TIME, HEADERS_MAX,
    LISTENERS_MAX, REQUEST_TIME,
};
use crate::rights::Rights;
use crate::routes;
use crate::survey::Surveys;

/// What connections share.
pub(crate) struct Served {
    pub(crate) shard: Arc<Shard>,
    pub(crate) surveys: Arc<Surveys>,
    /// Places for those who listen to events.
    pub(crate) listeners: Arc<Semaphore>,
    pub(crate) tokens: Tokens,
    hosts: Vec<String>,
    tls: bool,
}

/// A request whose body has come.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) content_type: Option<String>,
    /// The tags of the bodies that the caller has already.
    pub(crate) if_none_match: Option<String>,
    pub(crate) body: Bytes,
}

/// Who calls on a connection: not connected to the server before that is needed.
pub(crate) struct Caller {
    pub(crate) served: Arc<Served>,
    /// The address that was called is one of the loopback.
    is_loopback: bool,
    said: Said,
    client: Option<Client>,
}

impl Served {
    pub(super) fn new(shard: Arc<Shard>, config: &HttpConfig) -> Served {
        Served {
            surveys: Surveys::of(&shard),
            listeners: Arc::new(Semaphore::new(LISTENERS_MAX)),
            tokens: Tokens::default(),
            shard,
            hosts: config.hosts.clone(),
            tls: config.tls,
        }
    }

    /// Serves a connection until it ends.
    pub(super) async fn serve(self: Arc<Served>, stream: TcpStream, stop: watch::Receiver<bool>) {
        // Answers are short and waited for.
        stream.set_nodelay(true).ok();
        let local = stream.local_addr().map(|at| at.ip().to_canonical());
        let is_loopback = local.is_ok_and(|ip: IpAddr| ip.is_loopback());
        let caller = Caller {
            served: Arc::clone(&self),
            is_loopback,
            said: Said::default(),
            client: None,
        };
        if !self.tls {
            return serve_on(stream, caller, stop).await;
        }
        // Without it no client of TLS is served either.
        let Some(config) = self.shard.tls() else {
            return;
        };
        let handshake = TlsAcceptor::from(config).accept(stream);
        if let Ok(Ok(stream)) = timeout(HEAD_TIME, handshake).await {
            serve_on(stream, caller, stop).await;
        }
    }

    async fn answer(&self, caller: &mut Caller, request: Request<Incoming>) -> Answer {
        let answered = async {
            let scheme = if self.tls { "https" } else { "http" };
            guard::check(request.headers(), &self.hosts, scheme)?;
            caller.says(credentials::of(request.headers(), &self.tokens)?);
            let (head, body) = request.into_parts();
            let header = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
            let content_type = header(CONTENT_TYPE).map(str::to_ascii_lowercase);
            let if_none_match = header(IF_NONE_MATCH).map(str::to_owned);
            let body = Limited::new(body, BODY_BYTES_MAX).collect().await;
            let call = Call {
                method: head.method,
                path: head.uri.path().to_owned(),
                query: head.uri.query().map(str::to_owned),
                content_type,
                if_none_match,
                body: body.map_err(|error| cut_body(&*error))?.to_bytes(),
            };
            routes::answer(caller, &call).await
        };
        let late = Fault::new(
            StatusCode::REQUEST_TIMEOUT,
            "timeout",
            "the request took too long",
        );
        let answered = timeout(REQUEST_TIME, answered).await;
        answered.unwrap_or(Err(late)).unwrap_or_else(Answer::from)
    }
}

/// Why the body of a request did not come.
fn cut_body(error: &(dyn std::error::Error + 'static)) -> Fault {
    match error.is::<LengthLimitError>() {
        true => Fault::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            format!("a body has at most {BODY_BYTES_MAX} bytes"),
        ),
        false => Fault::bad(format!("the body did not come: {error}")),
    }
}

impl Caller {
    /// Another request on the same connection says who calls.
    fn says(&mut self, said: Said) {
        if self.said != said {
            self.said = said;
            self.client = None;
        }
    }

    /// The name and the password with which it calls.
    pub(crate) fn credentials(&self) -> Option<&Credentials> {
        self.said.credentials.as_ref()
    }

    /// The token with which it calls.
    pub(crate) fn token(&self) -> Option<&str> {
        self.said.token.as_deref()
    }

    /// The server's client that acts for the caller.
    pub(crate) async fn client(&mut self) -> Result<&mut Client, Fault> {
        let kept = self.client.take().filter(Client::is_usable);
        let client = match kept {
            Some(client) => client,
            None => self.connect().await?,
        };
        Ok(self.client.insert(client))
    }

    /// The name of the user that calls.
    pub(crate) fn user(&self) -> &[u8] {
        self.credentials().map_or(DEFAULT_USER, |of| &of.user)
    }

    /// What the caller may do, once it is known who that is.
    pub(crate) async fn rights(&mut self) -> Result<Rights, Fault> {
        self.client().await?;
        let rights = (self.served.shard).look(|engine, _| Rights::of(engine, self.user()));
        rights.ok_or_else(|| credentials::unauthorized("there is no such user any more"))
    }

    async fn connect(&self) -> Result<Client, Fault> {
        let credentials = self.credentials();
        if !self.is_loopback {
            let Some(Credentials { user, .. }) = credentials else {
                return Err(credentials::unauthorized("say who you are"));
            };
            let is_open = self.served.shard.look(|engine, _| {
                let found = engine.server.users.find(user);
                found.is_some_and(|user| user.needs_no_password())
            });
            if is_open {
                let message = "a user without a password is served on the loopback only";
                return Err(Fault::new(StatusCode::FORBIDDEN, "no-password", message));
            }
        }
        let connected = Client::connect(&self.served.shard, credentials).await;
        connected.map_err(|error| {
            let is_about_users =
                matches!(&error, ClientError::Refused(text) if is_about_users(text));
            match credentials {
                _ if !is_about_users => Fault::from(error),
                Some(_) => credentials::unauthorized("there is no such user with that password"),
                None => credentials::unauthorized("say who you are"),
            }
        })
    }
}

/// Returns whether an error says that nobody, or the wrong one, was authenticated.
fn is_about_users(error: &str) -> bool {
    ["NOAUTH", "WRONGPASS"].contains(&error.split(' ').next().unwrap_or_default())
}

impl From<ClientError> for Fault {
    fn from(error: ClientError) -> Fault {
        let message = error.to_string();
        let (status, code) = match &error {
            ClientError::Connection(_) => (StatusCode::SERVICE_UNAVAILABLE, "not-serving"),
            ClientError::TooLarge => (StatusCode::UNPROCESSABLE_ENTITY, "too-large"),
            ClientError::NotAReply(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
            ClientError::Refused(text) => match text.split(' ').next().unwrap_or_default() {
                "NOPERM" => (StatusCode::FORBIDDEN, "not-allowed"),
                "NOGROUP" => (StatusCode::NOT_FOUND, "not-found"),
                "WRONGTYPE" => (StatusCode::CONFLICT, "wrong-type"),
                "LOADING" | "BUSY" | "MISCONF" => (StatusCode::SERVICE_UNAVAILABLE, "not-ready"),
                _ if text.contains("no such key") => (StatusCode::NOT_FOUND, "not-found"),
                _ => (StatusCode::UNPROCESSABLE_ENTITY, "refused"),
            },
        };
        Fault::new(status, code, message)
    }
}

/// Serves requests on a connection that can be read from and written to.
async fn serve_on(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    caller: Caller,
    mut stop: watch::Receiver<bool>,
) {
    let caller = Arc::new(Mutex::new(caller));
    let service = service_fn(|request: Request<Incoming>| {
        let caller = Arc::clone(&caller);
        async move {
            let mut caller = caller.lock().await;
            let served = Arc::clone(&caller.served);
            let answer = served.answer(&mut caller, request).await;
            Ok::<Response<Body>, Infallible>(answer.into_response())
        }
    });
    let connection = Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        _ = connection.as_mut() => true,
        _ = stop.wait_for(|stopped| *stopped) => false,
        () = tokio::time::sleep(CONNECTION_TIME) => false,
    };
    if !ended {
        connection.as_mut().graceful_shutdown();
        within(END_TIME, connection).await;
    }
}

/// Waits for something, but no longer than that.
async fn within(time: Duration, future: impl Future) {
    timeout(time, future).await.ok();
}

/// Tells a connection for which there is no place to come back, if that can be told at once.
pub(super) fn turn_away(stream: TcpStream) {
    const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\
                          retry-after: 1\r\nconnection: close\r\n\r\n";
    stream.try_write(FULL).ok();
}
