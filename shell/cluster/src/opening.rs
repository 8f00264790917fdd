//! Getting a log ready: the stream is made if there is none, and whoever keeps it is checked.

use async_nats::{ConnectError, ConnectErrorKind, HeaderMap};
use replication::Seq;
use tokio::time::{Instant, sleep, timeout_at};
use tracing::{debug, info};

use crate::api::{self, ApiError, NO_STREAM, StreamInfo, UNAVAILABLE};
use crate::assurance::{self, Assurance, AssuranceError};
use crate::config::{Credentials, ServiceConfig};
use crate::connection::{AskError, Connection, Incoming};
use crate::error::OpenError;
use crate::limits::{OPEN_TIMEOUT, QUESTION_TIMEOUT, READ_AGAIN, REPLICAS_MAX, REPLICAS_MIN};
use crate::stream;

/// Code of the error that there are not enough servers for the copies: they may still be starting.
const NO_SUITABLE_PEERS: u32 = 10005;

/// Connects, and makes sure that the stream is there, is as it must be, and is kept by servers that
/// can be trusted.
///
/// # Errors
/// [`OpenError`]
pub(crate) async fn open(config: &ServiceConfig) -> Result<Connection, OpenError> {
    open_at(config, Seq::ZERO.next()).await
}

/// The same; a stream that is made begins with the record of this number.
///
/// # Errors
/// [`OpenError`]
pub(crate) async fn open_at(config: &ServiceConfig, first: Seq) -> Result<Connection, OpenError> {
    let replicas = config.replicas;
    let may_be_alone = config.assurance == Assurance::Unchecked && replicas == 1;
    if !may_be_alone && !(REPLICAS_MIN..=REPLICAS_MAX).contains(&replicas) {
        return Err(OpenError::Replicas { replicas });
    }
    let deadline = Instant::now() + OPEN_TIMEOUT;
    let connection = connect(&config.servers, config.user.as_ref(), deadline).await?;
    let info = ready_stream(&connection, config, first, deadline).await?;
    stream::check(config, &info.config)?;
    if let Assurance::Checked(system) = &config.assurance {
        let mut asking = connect(&config.servers, Some(system), deadline).await?;
        while let Err(error) = {
            let info = ready_stream(&connection, config, first, deadline).await?;
            assure(&mut asking, &connection, &info).await?
        } {
            // A server may be on its way out or in.
            let may_answer = matches!(error, AssuranceError::Silent { .. });
            if !may_answer || Instant::now() >= deadline {
                return Err(error.into());
            }
        }
    }
    Ok(connection)
}

/// Checks a log that is open already, in the same way. Nothing is made or waited for.
///
/// # Errors
/// [`OpenError`]
pub async fn check_again(config: &ServiceConfig) -> Result<(), OpenError> {
    let found = faults(config).await.into_iter().next();
    found.map_or(Ok(()), Err)
}

/// All that is wrong with a log that is open already and with those who keep it.
pub(crate) async fn faults(config: &ServiceConfig) -> Vec<OpenError> {
    let (connection, info) = match beside(config).await {
        Ok(open) => open,
        Err(error) => return vec![error],
    };
    let mut faults: Vec<_> = stream::check(config, &info.config)
        .err()
        .into_iter()
        .collect();
    if let Assurance::Checked(system) = &config.assurance {
        let assured = async {
            let mut asking = Connection::open(&config.servers, Some(system)).await?;
            Ok(assure(&mut asking, &connection, &info).await??)
        };
        faults.extend(assured.await.err());
    }
    faults
}

/// Another connection to a log that is open already, and what its stream is now.
///
/// # Errors
/// [`OpenError`]
pub(crate) async fn beside(config: &ServiceConfig) -> Result<(Connection, StreamInfo), OpenError> {
    let connection = Connection::open(&config.servers, config.user.as_ref()).await?;
    let stream = config.group.stream();
    let question = connection.ask::<StreamInfo>(api::stream_info(&stream), Vec::new());
    match question.await {
        Ok(info) => Ok((connection, info)),
        Err(error) => Err(OpenError::NotReady {
            last: not_yet(&stream, error)?,
        }),
    }
}

/// Connects, even if the servers have yet to start.
async fn connect(
    servers: &[String],
    user: Option<&Credentials>,
    deadline: Instant,
) -> Result<Connection, OpenError> {
    loop {
        let result = Connection::open(servers, user).await;
        let Err(OpenError::Connect(error)) = &result else {
            return result;
        };
        if !may_pass(error) || Instant::now() >= deadline {
            return result;
        }
        debug!(%error, "no NATS server can be reached yet");
        sleep(READ_AGAIN).await;
    }
}

/// Returns whether the same attempt may succeed later.
fn may_pass(error: &ConnectError) -> bool {
    match error.kind() {
        ConnectErrorKind::Io | ConnectErrorKind::TimedOut | ConnectErrorKind::Dns => true,
        ConnectErrorKind::ServerParse
        | ConnectErrorKind::Authentication
        | ConnectErrorKind::AuthorizationViolation
        | ConnectErrorKind::Tls
        | ConnectErrorKind::MaxReconnects => false,
    }
}

/// The stream, as soon as it has a leader.
async fn ready_stream(
    connection: &Connection,
    config: &ServiceConfig,
    first: Seq,
    deadline: Instant,
) -> Result<StreamInfo, OpenError> {
    let stream = config.group.stream();
    loop {
        let question = connection.ask::<StreamInfo>(api::stream_info(&stream), Vec::new());
        let error = match question.await {
            Ok(info) => match &info.cluster {
                Some(cluster) if cluster.leader.is_none() => "the stream has no leader".to_owned(),
                Some(_) | None => return Ok(info),
            },
            Err(AskError::Api(ApiError::Refused { err_code, .. })) if err_code == NO_STREAM => {
                let creation = stream::creation(config, first).to_string().into_bytes();
                let made = connection.ask::<StreamInfo>(api::create_stream(&stream), creation);
                match made.await {
                    Ok(_) => {
                        info!(
                            stream,
                            replicas = config.replicas,
                            "made the stream of the log"
                        );
                        continue;
                    }
                    Err(error) => not_yet(&stream, error)?,
                }
            }
            Err(error) => not_yet(&stream, error)?,
        };
        if Instant::now() >= deadline {
            return Err(OpenError::NotReady { last: error });
        }
        sleep(READ_AGAIN).await;
    }
}

/// What went wrong, if the same question may have another answer later.
fn not_yet(stream: &str, error: AskError) -> Result<String, OpenError> {
    match error {
        AskError::Unanswered(error) => Ok(error),
        AskError::Api(ApiError::Refused {
            code,
            err_code,
            description,
        }) if code == UNAVAILABLE || err_code == NO_SUITABLE_PEERS => Ok(description),
        AskError::Api(error) => Err(OpenError::Refused {
            stream: stream.to_owned(),
            error,
        }),
    }
}

/// Asks all servers how they are set, and checks those that keep the log. `asking` is the
/// connection of a user of the system account.
async fn assure(
    asking: &mut Connection,
    connection: &Connection,
    info: &StreamInfo,
) -> Result<Result<(), AssuranceError>, OpenError> {
    let keepers = stream::keepers(info, &connection.server_name());
    let (subject, headers) = (api::SETTINGS_OF_SERVERS, HeaderMap::new());
    let sent = asking.send(subject, "settings", headers, Vec::new()).await;
    sent.map_err(|error| OpenError::Connection(error.to_string()))?;
    let until = Instant::now() + QUESTION_TIMEOUT;
    let mut answers = Vec::new();
    let mut result = assurance::check(&keepers.all, &answers);
    while let Err(AssuranceError::Silent { .. }) = result
        && let Ok(incoming) = timeout_at(until, asking.next()).await
    {
        match incoming {
            // What is no such answer says nothing of a server.
            Incoming::Answer(_, message) => answers.extend(api::decode(&message.payload)),
            Incoming::Up | Incoming::Lost => {}
            Incoming::Closed => return Err(OpenError::Connection("it was closed".to_owned())),
        }
        result = assurance::check(&keepers.all, &answers);
    }
    if let Err(AssuranceError::Silent { .. }) = result {
        // Whoever is away has nothing to say.
        result = assurance::check(&keepers.current, &answers);
    }
    Ok(result)
}
