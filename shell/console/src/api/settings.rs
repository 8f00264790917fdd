//! What streams and groups were told: looking, and changing it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::actions::{done, run, say};
use super::{Text, answer, number_of};
use crate::client::Client;
use crate::http::{Answer, Fault};
use crate::reply::Value;
use crate::routes::Asked;

/// Settings by their names, as `XCFGGET` and `XGROUP GETCFG` have them.
pub(crate) type Named = BTreeMap<String, Setting>;

/// The settings of a stream or a group.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Settings {
    settings: Named,
}

/// The value of a setting: a number, two numbers, or a word or a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Setting {
    Number(u64),
    Span([u64; 2]),
    Text(Text),
}

/// What a stream is told. What is not given stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfigureStream {
    /// For how long an ID is remembered: 1 to 86400.
    duration_seconds: Option<u64>,
    /// How many IDs are remembered for each producer: 1 to 10000.
    maxsize: Option<u64>,
    /// What is remembered is kept, rather than forgotten by a change of these two.
    #[serde(default)]
    keep: bool,
    /// The other settings, by the names that looking at them gives.
    #[serde(default)]
    settings: Named,
}

/// What a group is told. What is not given stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfigureGroup {
    /// Settings, by the names that looking at them gives.
    settings: Named,
}

/// What a change would do.
struct Change {
    /// Words and values, as the command has them.
    arguments: Vec<Vec<u8>>,
    /// Settings that get another value.
    count: u64,
    /// Each of these in words.
    told: Vec<String>,
}

impl Setting {
    fn of(told: &Value) -> Setting {
        if let Some(number) = told.number() {
            return Setting::Number(number);
        }
        let both: Vec<u64> = told.items().iter().filter_map(Value::number).collect();
        match both[..] {
            [first, second] => Setting::Span([first, second]),
            _ => Setting::Text(told.text().unwrap_or_default().into()),
        }
    }

    /// As a command has it, two numbers with a space between.
    pub(super) fn argument(&self) -> Result<Vec<u8>, Fault> {
        match self {
            Setting::Number(number) => Ok(number.to_string().into_bytes()),
            Setting::Span([first, second]) => Ok(format!("{first} {second}").into_bytes()),
            Setting::Text(text) => text.bytes(),
        }
    }
}

/// The settings in a reply.
pub(super) fn named(told: &Value) -> Named {
    let Value::Map(pairs) = told else {
        return Named::new();
    };
    let pairs = pairs.iter().filter_map(|(name, value)| {
        let name = String::from_utf8_lossy(name.text()?).into_owned();
        Some((name, Setting::of(value)))
    });
    pairs.collect()
}

impl Change {
    /// Compares what is wanted with what is there. A name that is not there is refused.
    fn of(wanted: &Named, before: &Named) -> Result<Change, Fault> {
        let mut change = Change {
            arguments: Vec::new(),
            count: 0,
            told: Vec::new(),
        };
        for (name, value) in wanted {
            let name = name.to_ascii_lowercase();
            let unknown = || Fault::bad(format!("{name} is no setting that can be changed here"));
            let old = before.get(&name).ok_or_else(unknown)?.argument()?;
            let new = value.argument()?;
            if old != new {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                change.count += 1;
                let (old, new) = (text(&old), text(&new));
                change
                    .told
                    .push(format!("{name} is '{new}' instead of '{old}'"));
            }
            change
                .arguments
                .push(name.to_ascii_uppercase().into_bytes());
            match value {
                Setting::Span(both) => {
                    let both = both.iter().map(|number| number.to_string().into_bytes());
                    change.arguments.extend(both);
                }
                Setting::Number(_) | Setting::Text(_) => change.arguments.push(new),
            }
        }
        Ok(change)
    }

    /// What was, or would be, done.
    fn summary(&self) -> String {
        match self.told.is_empty() {
            true => "changes nothing".to_owned(),
            false => self.told.join("; "),
        }
    }
}

pub(crate) async fn of_stream(mut asked: Asked<'_>) -> Result<Answer, Fault> {
    let key = asked.captured(0);
    let settings = stream_settings(asked.client().await?, &key).await?;
    answer(&Settings { settings })
}

pub(crate) async fn of_group(mut asked: Asked<'_>) -> Result<Answer, Fault> {
    let (key, group) = (asked.captured(0), asked.captured(1));
    let settings = group_settings(asked.client().await?, &key, &group).await?;
    answer(&Settings { settings })
}

async fn stream_settings(client: &mut Client, key: &[u8]) -> Result<Named, Fault> {
    Ok(named(&client.ask(&[b"XCFGGET", key]).await?))
}

/// What a group was told.
pub(super) async fn group_settings(
    client: &mut Client,
    key: &[u8],
    group: &[u8],
) -> Result<Named, Fault> {
    let told = client.ask(&[b"XGROUP", b"GETCFG", key, group]).await?;
    Ok(named(&told))
}

pub(crate) async fn configure_stream(mut asked: Asked<'_>) -> Result<Answer, Fault> {
    let body: ConfigureStream = asked.body()?;
    let key = asked.captured(0);
    let client = asked.client().await?;
    let mut others = stream_settings(client, &key).await?;
    let before = client.ask(&[b"XINFO", b"STREAM", &key]).await?;
    let mut change = Window::of(&body, &before).change();
    // These have fields of their own, because a change of them may forget.
    for name in ["idmp-duration", "idmp-maxsize"] {
        others.remove(name);
    }
    let others = Change::of(&body.settings, &others)?;
    change.count += others.count;
    change.told.extend(others.told);
    change.arguments.extend(others.arguments);
    let mut command = vec![b"XCFGSET".to_vec(), key];
    command.append(&mut change.arguments);
    make(asked, command, &change).await
}

pub(crate) async fn configure_group(mut asked: Asked<'_>) -> Result<Answer, Fault> {
    let body: ConfigureGroup = asked.body()?;
    let (key, group) = (asked.captured(0), asked.captured(1));
    let before = group_settings(asked.client().await?, &key, &group).await?;
    let mut change = Change::of(&body.settings, &before)?;
    let mut command = vec![b"XGROUP".to_vec(), b"SETCFG".to_vec(), key, group];
    command.append(&mut change.arguments);
    make(asked, command, &change).await
}

/// Makes a change, or says what it would do.
async fn make(
    mut asked: Asked<'_>,
    command: Vec<Vec<u8>>,
    change: &Change,
) -> Result<Answer, Fault> {
    if asked.query.flag("dry-run") {
        return say(&asked, &command, change.summary(), change.count);
    }
    run(&mut asked, &command).await?;
    answer(&done(&command, change.summary(), change.count))
}

/// How much is remembered, before and after.
struct Window<'b> {
    wanted: &'b ConfigureStream,
    duration: u64,
    maxsize: u64,
    /// IDs that are remembered now.
    iids: u64,
}

impl Window<'_> {
    fn of<'b>(wanted: &'b ConfigureStream, before: &Value) -> Window<'b> {
        Window {
            wanted,
            duration: number_of(before, "idmp-duration"),
            maxsize: number_of(before, "idmp-maxsize"),
            iids: number_of(before, "iids-tracked"),
        }
    }

    fn change(&self) -> Change {
        let wanted = self.wanted;
        let (mut arguments, mut told) = (Vec::new(), Vec::new());
        for (word, value) in [
            ("IDMP-DURATION", wanted.duration_seconds),
            ("IDMP-MAXSIZE", wanted.maxsize),
        ] {
            if let Some(value) = value {
                arguments.extend([word.into(), value.to_string().into_bytes()]);
            }
        }
        if wanted.keep {
            arguments.push(b"KEEPIDS".to_vec());
        }
        let changes = [
            (self.duration, wanted.duration_seconds),
            (self.maxsize, wanted.maxsize),
        ];
        let changes = changes
            .iter()
            .filter(|(old, new)| new.is_some_and(|new| new != *old));
        let count = changes.count() as u64;
        if wanted.duration_seconds.is_some() || wanted.maxsize.is_some() {
            told.push(self.told(count > 0 && !wanted.keep));
        }
        Change {
            arguments,
            count,
            told,
        }
    }

    fn told(&self, forgets: bool) -> String {
        let (duration, maxsize) = (self.duration, self.maxsize);
        let forgotten = if forgets { self.iids } else { 0 };
        format!(
            "remembers {} IDs for each producer instead of {maxsize}, for {} seconds instead of \
             {duration}, and forgets {forgotten} IDs; a retry of one of these is stored again",
            self.wanted.maxsize.unwrap_or(maxsize),
            self.wanted.duration_seconds.unwrap_or(duration),
        )
    }
}
