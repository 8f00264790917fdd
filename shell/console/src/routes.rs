//! Every path: a row each, from which requests are dispatched and the OpenAPI document is made.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use hyper::{Method, StatusCode};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::DeserializeOwned;

use crate::api;
use crate::client::Client;
use crate::health::{self, Ready};
use crate::http::{Answer, Call, Caller, Fault};
use crate::metrics::{self, Choice, Snapshot};
use crate::openapi;
use crate::page;
use crate::query::{Kind, Parameter, Plus, Query, decoded};

/// A path and a method, and what they mean.
#[derive(Clone, Copy)]
pub(crate) struct Route {
    pub(crate) method: Verb,
    /// The path; what is in braces stands for any text.
    pub(crate) path: &'static str,
    /// Its name in the OpenAPI document.
    pub(crate) id: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) parameters: &'static [Parameter],
    /// What the body of a request is.
    pub(crate) body: Option<fn(&mut SchemaGenerator) -> Schema>,
    pub(crate) answer: Shape,
    run: fn(Asked<'_>) -> Running<'_>,
}

/// What a request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    /// It looks.
    Get,
    /// It acts.
    Post,
}

/// What an answer is, if all is well.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// Something other than JSON.
    Other(&'static str),
    /// A value.
    Json(fn(&mut SchemaGenerator) -> Schema),
    /// Server-sent events of this name, each with a value.
    Events(&'static str, fn(&mut SchemaGenerator) -> Schema),
}

type Running<'a> = Pin<Box<dyn Future<Output = Result<Answer, Fault>> + Send + 'a>>;

/// A request that fits its route.
pub(crate) struct Asked<'a> {
    pub(crate) caller: &'a mut Caller,
    pub(crate) query: Query,
    captured: Vec<Vec<u8>>,
    call: &'a Call,
}

const fn look(
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    parameters: &'static [Parameter],
    answer: Shape,
    run: fn(Asked<'_>) -> Running<'_>,
) -> Route {
    Route {
        method: Verb::Get,
        path,
        id,
        summary,
        parameters,
        body: None,
        answer,
        run,
    }
}

const fn act(
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    body: fn(&mut SchemaGenerator) -> Schema,
    run: fn(Asked<'_>) -> Running<'_>,
) -> Route {
    Route {
        method: Verb::Post,
        path,
        id,
        summary,
        parameters: api::actions::PARAMETERS,
        body: Some(body),
        answer: json::<api::actions::Done>(),
        run,
    }
}

const fn json<T: JsonSchema>() -> Shape {
    Shape::Json(schema::<T>)
}

fn schema<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

const TEXT: Shape = Shape::Other("text/plain");

/// All of them.
pub(crate) static ROUTES: &[Route] = &[
    look(
        "/healthz",
        "isAlive",
        "Whether the process answers.",
        &[],
        TEXT,
        |asked| Box::pin(alive(asked)),
    ),
    look(
        "/readyz",
        "isReady",
        "Whether the server has its data, and accepts writes or follows; 503 with the reason if not.",
        READY,
        TEXT,
        |asked| Box::pin(ready(asked)),
    ),
    look(
        "/metrics",
        "getMetrics",
        "Figures of the server and of its largest streams and groups.",
        metrics::PARAMETERS,
        Shape::Other("application/openmetrics-text"),
        |asked| Box::pin(measured(asked)),
    ),
    look(
        "/api/v1/openapi.json",
        "getDescription",
        "This document.",
        &[],
        Shape::Other("application/json"),
        |asked| Box::pin(described(asked)),
    ),
    look(
        "/api/v1/overview",
        "getOverview",
        "The server at a glance.",
        &[],
        json::<api::server::Overview>(),
        |asked| Box::pin(api::server::overview(asked)),
    ),
    look(
        "/api/v1/events",
        "listen",
        "The overview again twice a second, as server-sent events.",
        &[],
        Shape::Events(api::events::OVERVIEW, schema::<api::server::Overview>),
        |asked| Box::pin(api::events::listen(asked)),
    ),
    look(
        "/api/v1/streams",
        "listStreams",
        "Streams, sorted and filtered, a page at a time.",
        api::streams::LIST,
        json::<api::streams::Streams>(),
        |asked| Box::pin(api::streams::list(asked)),
    ),
    look(
        "/api/v1/streams/{stream}",
        "getStream",
        "What is known of a stream.",
        api::DATABASE,
        json::<api::streams::Stream>(),
        |asked| Box::pin(api::streams::one(asked)),
    ),
    look(
        "/api/v1/streams/{stream}/settings",
        "getStreamSettings",
        "What a stream was told (XCFGGET).",
        api::DATABASE,
        json::<api::settings::Settings>(),
        |asked| Box::pin(api::settings::of_stream(asked)),
    ),
    look(
        "/api/v1/streams/{stream}/delayed",
        "listDelayed",
        "Entries that wait to be appended, in the order in which they are due (XDELAYED).",
        api::delayed::LIST,
        json::<api::delayed::Delayed>(),
        |asked| Box::pin(api::delayed::list(asked)),
    ),
    look(
        "/api/v1/streams/{stream}/groups/{group}",
        "getGroup",
        "What is known of a consumer group, its settings and its dead letters.",
        api::DATABASE,
        json::<api::groups::OneGroup>(),
        |asked| Box::pin(api::groups::one(asked)),
    ),
    look(
        "/api/v1/streams/{stream}/groups/{group}/settings",
        "getGroupSettings",
        "What a group was told (XGROUP GETCFG).",
        api::DATABASE,
        json::<api::settings::Settings>(),
        |asked| Box::pin(api::settings::of_group(asked)),
    ),
    look(
        "/api/v1/streams/{stream}/entries",
        "listEntries",
        "Entries by ID or time, those that contain a text if one is given.",
        api::entries::LIST,
        json::<api::entries::Entries>(),
        |asked| Box::pin(api::entries::list(asked)),
    ),
    look(
        "/api/v1/streams/{stream}/groups",
        "listGroups",
        "The consumer groups of a stream.",
        api::DATABASE,
        json::<api::groups::Groups>(),
        |asked| Box::pin(api::groups::list(asked)),
    ),
    look(
        "/api/v1/groups",
        "listGroupsBehind",
        "The groups of all streams that have most to do.",
        api::groups_behind::LIST,
        json::<api::groups_behind::GroupsBehind>(),
        |asked| Box::pin(api::groups_behind::list(asked)),
    ),
    look(
        "/api/v1/streams/{stream}/groups/{group}/consumers",
        "listConsumers",
        "The consumers of a group.",
        api::DATABASE,
        json::<api::groups::Consumers>(),
        |asked| Box::pin(api::groups::consumers(asked)),
    ),
    look(
        "/api/v1/streams/{stream}/groups/{group}/pending",
        "listPending",
        "Entries that were delivered and not acknowledged, a page at a time.",
        api::groups::PENDING,
        json::<api::groups::PendingEntries>(),
        |asked| Box::pin(api::groups::pending(asked)),
    ),
    look(
        "/api/v1/streams/{stream}/producers",
        "listProducers",
        "What a stream remembers of its producers, a page at a time.",
        api::producers::LIST,
        json::<api::producers::Producers>(),
        |asked| Box::pin(api::producers::list(asked)),
    ),
    look(
        "/api/v1/streams/{stream}/idempotence",
        "getIdempotence",
        "How well a stream's window fits its producers, and what would fit better.",
        api::DATABASE,
        json::<api::advice::Fit>(),
        |asked| Box::pin(api::advice::fit(asked)),
    ),
    look(
        "/api/v1/durability",
        "getDurability",
        "How changes reach the disk.",
        &[],
        json::<api::server::Durability>(),
        |asked| Box::pin(api::server::durability(asked)),
    ),
    look(
        "/api/v1/cluster",
        "getCluster",
        "The servers that share a log with this one, and those that keep the log.",
        &[],
        json::<api::cluster::Cluster>(),
        |asked| Box::pin(api::cluster::look(asked)),
    ),
    look(
        "/api/v1/keys",
        "listKeys",
        "Keys of any type, a page at a time.",
        api::keys::LIST,
        json::<api::keys::Keys>(),
        |asked| Box::pin(api::keys::list(asked)),
    ),
    look(
        "/api/v1/keys/{key}",
        "getKey",
        "A key of any type, with a page of what is in it.",
        api::value::ONE,
        json::<api::value::Key>(),
        |asked| Box::pin(api::value::one(asked)),
    ),
    look(
        "/api/v1/clients",
        "listClients",
        "Clients that are connected.",
        &[],
        json::<api::server::Clients>(),
        |asked| Box::pin(api::server::clients(asked)),
    ),
    look(
        "/api/v1/slow-log",
        "getSlowLog",
        "Commands that took long, the latest first.",
        api::server::SLOW_LOG,
        json::<api::server::SlowLog>(),
        |asked| Box::pin(api::server::slow_log(asked)),
    ),
    Route {
        parameters: &[],
        body: None,
        answer: json::<api::session::Session>(),
        ..act(
            "/api/v1/session",
            "beginSession",
            "Makes a token, which stands for the name and the password of this request.",
            schema::<()>,
            |asked| Box::pin(api::session::begin(asked)),
        )
    },
    Route {
        parameters: &[],
        body: None,
        answer: json::<api::session::Ended>(),
        ..act(
            "/api/v1/session/end",
            "endSession",
            "Ends the token of this request.",
            schema::<()>,
            |asked| Box::pin(api::session::end(asked)),
        )
    },
    act(
        "/api/v1/cluster/failover",
        "failOver",
        "Hands the lead of the servers that share a log over to another one (FAILOVER).",
        schema::<api::cluster::Failover>,
        |asked| Box::pin(api::cluster::failover(asked)),
    ),
    act(
        "/api/v1/streams/{stream}/entries",
        "addEntry",
        "Appends an entry (XADD).",
        schema::<api::actions::Add>,
        |asked| Box::pin(api::actions::add(asked)),
    ),
    act(
        "/api/v1/streams/{stream}/settings",
        "configureStream",
        "Sets what a stream remembers of its producers, and what else it is told (XCFGSET).",
        schema::<api::settings::ConfigureStream>,
        |asked| Box::pin(api::settings::configure_stream(asked)),
    ),
    act(
        "/api/v1/streams/{stream}/groups/{group}/settings",
        "configureGroup",
        "Sets what a group does by itself (XGROUP SETCFG).",
        schema::<api::settings::ConfigureGroup>,
        |asked| Box::pin(api::settings::configure_group(asked)),
    ),
    act(
        "/api/v1/streams/{stream}/delayed/cancel",
        "cancelDelayed",
        "Takes back an entry that waits to be appended (XUNDELAY).",
        schema::<api::delayed::Cancel>,
        |asked| Box::pin(api::delayed::cancel(asked)),
    ),
    act(
        "/api/v1/streams/{stream}/redrive",
        "redrive",
        "Gives dead letters, which this stream has, back to where they come from (XREDRIVE).",
        schema::<api::dead_letters::Redrive>,
        |asked| Box::pin(api::dead_letters::redrive(asked)),
    ),
    act(
        "/api/v1/streams/{stream}/groups/{group}/ack",
        "acknowledge",
        "Acknowledges pending entries (XACK).",
        schema::<api::actions::Ack>,
        |asked| Box::pin(api::actions::ack(asked)),
    ),
    act(
        "/api/v1/streams/{stream}/groups/{group}/claim",
        "claim",
        "Gives pending entries to another consumer (XCLAIM).",
        schema::<api::actions::Claim>,
        |asked| Box::pin(api::actions::claim(asked)),
    ),
    act(
        "/api/v1/streams/{stream}/groups/{group}/nack",
        "giveBack",
        "Gives pending entries back to the group (XNACK).",
        schema::<api::actions::Nack>,
        |asked| Box::pin(api::actions::nack(asked)),
    ),
    act(
        "/api/v1/streams/{stream}/groups/{group}/set-id",
        "setLastDelivered",
        "Sets where a group reads on (XGROUP SETID).",
        schema::<api::actions::SetId>,
        |asked| Box::pin(api::actions::set_id(asked)),
    ),
];

impl Route {
    /// What stands for the braces, if the path is one of this route.
    fn captures<'p>(&self, path: &'p str) -> Option<Vec<&'p str>> {
        let mut captured = Vec::new();
        let (mut wanted, mut given) = (self.path.split('/'), path.split('/'));
        loop {
            match (wanted.next(), given.next()) {
                (None, None) => return Some(captured),
                (Some(wanted), Some(given)) if in_braces(wanted).is_some() && !given.is_empty() => {
                    captured.push(given);
                }
                (Some(wanted), Some(given)) if wanted == given => {}
                (Some(_) | None, Some(_) | None) => return None,
            }
        }
    }

    /// What its path has in braces, in its order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> + Clone {
        self.path.split('/').filter_map(in_braces)
    }

    /// The parameters that it takes, those for names that its path cannot have included.
    pub(crate) fn all_parameters(&self) -> impl Iterator<Item = &'static Parameter> + Clone {
        let names = self.names();
        let for_names = NAMES
            .iter()
            .filter(move |of| names.clone().any(|name| name == of.name));
        self.parameters.iter().chain(for_names)
    }
}

fn in_braces(part: &str) -> Option<&str> {
    part.strip_prefix('{')?.strip_suffix('}')
}

/// Parameters that name what is in braces, for names that a path cannot have: clients and proxies
/// take `.` and `..` for steps, written with percent signs too, and an empty part is none.
const NAMES: &[Parameter] = &[
    Parameter {
        name: "stream",
        kind: Kind::Text,
        help: "The name of the stream where the path has -, for one that no path can have: empty, \
               . and ..",
    },
    Parameter {
        name: "group",
        kind: Kind::Text,
        help: "The name of the group where the path has -, for one that no path can have.",
    },
    Parameter {
        name: "key",
        kind: Kind::Text,
        help: "The name of the key where the path has -, for one that no path can have.",
    },
];

/// The bytes that a part of a path stands for, or those that the parameter of its name has.
fn captured(name: &str, part: &str, query: &Query) -> Result<Vec<u8>, Fault> {
    match query.bytes(name) {
        None => decoded(part, Plus::IsPlus),
        Some(bytes) if part == "-" => Ok(bytes.to_vec()),
        Some(_) => Err(Fault::bad(format!(
            "{name} is given as a parameter where the path has -, and only there"
        ))),
    }
}

impl Verb {
    fn is(self, method: &Method) -> bool {
        match self {
            Verb::Get => [Method::GET, Method::HEAD].contains(method),
            Verb::Post => *method == Method::POST,
        }
    }
}

/// Answers a request.
pub(crate) async fn answer(caller: &mut Caller, call: &Call) -> Result<Answer, Fault> {
    let at_path: Vec<_> = (ROUTES.iter())
        .filter_map(|route| Some((route, route.captures(&call.path)?)))
        .collect();
    let found = at_path
        .iter()
        .find(|(route, _)| route.method.is(&call.method));
    let Some((route, parts)) = found else {
        if let Some(answer) = page::answer(call) {
            return answer;
        }
        let methods: Vec<Verb> = at_path.iter().map(|(route, _)| route.method).collect();
        return Err(match methods[..] {
            [] => Fault::not_found("there is nothing at this path"),
            [Verb::Get] => Fault::method("GET, HEAD"),
            [Verb::Post] => Fault::method("POST"),
            [_, _, ..] => Fault::method("GET, HEAD, POST"),
        });
    };
    let query = Query::parse(call.query.as_deref(), route.all_parameters())?;
    let parts = route.names().zip(parts);
    let captured = parts.map(|(name, part)| captured(name, part, &query));
    let asked = Asked {
        captured: captured.collect::<Result<_, Fault>>()?,
        query,
        caller,
        call,
    };
    (route.run)(asked).await
}

impl Asked<'_> {
    /// What stands for the braces of the path, in their order.
    pub(crate) fn captured(&self, index: usize) -> Vec<u8> {
        self.captured.get(index).cloned().unwrap_or_default()
    }

    /// The body, which is JSON and says so: a page of another site cannot send that unasked.
    pub(crate) fn body<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        let kind = self.call.content_type.as_deref().unwrap_or_default();
        if kind.split(';').next().map(str::trim) != Some("application/json") {
            return Err(Fault::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "not-json",
                "the body is application/json",
            ));
        }
        let parsed = serde_json::from_slice(&self.call.body);
        parsed.map_err(|error| Fault::bad(format!("the body: {error}")))
    }

    /// The number of the database that the address names.
    pub(crate) fn database(&self) -> u64 {
        self.query.number("db", 0)
    }

    /// The caller's client, in the database that the address names.
    pub(crate) async fn client(&mut self) -> Result<&mut Client, Fault> {
        let database = self.database().to_string();
        let client = self.caller.client().await?;
        client.ask(&[b"SELECT", database.as_bytes()]).await?;
        Ok(client)
    }
}

async fn alive(_: Asked<'_>) -> Result<Answer, Fault> {
    Ok(Answer::text(StatusCode::OK, "ok\n"))
}

async fn ready(asked: Asked<'_>) -> Result<Answer, Fault> {
    let not_ready = |reason| Answer::text(StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n"));
    Ok(match health::readiness(&asked.caller.served.shard) {
        Ok(Ready::ForAll) => Answer::text(StatusCode::OK, "ready\n"),
        Ok(Ready::ForReads) if asked.query.flag("writes") => {
            not_ready("another server leads".to_owned())
        }
        Ok(Ready::ForReads) => Answer::text(StatusCode::OK, "ready for reads\n"),
        Err(why) => not_ready(why.reason()),
    })
}

async fn described(_: Asked<'_>) -> Result<Answer, Fault> {
    Ok(Answer::json(StatusCode::OK, &openapi::document()))
}

async fn measured(asked: Asked<'_>) -> Result<Answer, Fault> {
    let Asked { caller, query, .. } = asked;
    let choice = Choice::of(&query);
    let rights = caller.rights().await?;
    rights.sees_server()?;
    let survey = caller.served.surveys.soon().await;
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

/// What can be asked of whether the server is ready.
const READY: &[Parameter] = &[Parameter {
    name: "writes",
    kind: Kind::Flag,
    help: "Whether it must accept writes: a follower is not ready then.",
}];

/// The parameter that names a database.
pub(crate) const DB: Parameter = Parameter {
    name: "db",
    kind: Kind::Number(u16::MAX as u64),
    help: "The number of the database; 0 unless it is given.",
};
