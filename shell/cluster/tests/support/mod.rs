//! What the tests of this crate share: servers, and how a log on them is opened.

use std::future::Future;
use std::time::Duration;

use cluster::{Assurance, Credentials, GroupName, ServiceConfig};
use serde_json::{Value, json};
use tokio::time::timeout;
use weir_tests::nats::{Nats, Sync};

/// A user of the servers; the password is the name.
pub(crate) fn user(name: &str) -> Credentials {
    Credentials {
        user: name.to_owned(),
        password: name.to_owned(),
    }
}

/// A log on one server, of which nothing is asked.
pub(crate) fn alone(nats: &Nats, group: &str) -> ServiceConfig {
    ServiceConfig {
        servers: nats.addresses(),
        user: Some(user("weir")),
        group: GroupName::parse(group).unwrap(),
        replicas: 1,
        assurance: Assurance::Unchecked,
    }
}

/// A log on three servers, which must sync.
pub(crate) fn on_three(nats: &Nats, group: &str) -> ServiceConfig {
    ServiceConfig {
        replicas: 3,
        assurance: Assurance::Checked(user("system")),
        ..alone(nats, group)
    }
}

/// Servers that sync; none when this machine cannot have them.
pub(crate) fn servers(count: usize) -> Option<Nats> {
    Nats::start(count, Sync::Always).unwrap()
}

/// Runs what a driver's thread would run.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    runtime.block_on(future)
}

/// Asks JetStream something that a log never asks.
pub(crate) async fn jetstream(config: &ServiceConfig, subject: &str, question: Value) -> String {
    let user = config.user.clone().unwrap();
    let options = async_nats::ConnectOptions::with_user_and_password(user.user, user.password);
    let client = options.connect(&config.servers[..]).await.unwrap();
    let payload = question.to_string();
    // A server that has just been started may lose a question.
    let answer = timeout(Duration::from_secs(20), async {
        loop {
            let subject = subject.to_owned();
            let answer = client.request(subject, payload.clone().into());
            if let Ok(Ok(answer)) = timeout(Duration::from_secs(1), answer).await {
                break answer;
            }
        }
    });
    String::from_utf8(answer.await.unwrap().payload.to_vec()).unwrap()
}

/// Which server leads the stream.
pub(crate) async fn leader_of(config: &ServiceConfig, nats: &Nats) -> usize {
    let subject = format!("$JS.API.STREAM.INFO.weir-{}", config.group);
    let info = jetstream(config, &subject, json!({})).await;
    let info: Value = serde_json::from_str(&info).unwrap();
    nats.index(info["cluster"]["leader"].as_str().unwrap())
        .unwrap()
}
