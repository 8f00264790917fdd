//! What a server says about its commands (`COMMAND INFO`, `COMMAND DOCS`), against
//! `data/commands.json`.
//!
//! The file holds what Redis 8.6.3 says, and additions for what later versions have.
//! Only commands that the server has are compared, but each of their fields is. Sets (flags,
//! categories) are compared without order; prose (summaries, notes) is not compared at all.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use crate::client::{Client, Protocol};
use crate::value::Value;

/// Fields of an entry that are compared; one that is missing counts as null or empty.
const FIELDS: [&str; 16] = [
    "arity",
    "flags",
    "first_key",
    "last_key",
    "step",
    "acl_categories",
    "tips",
    "key_specs",
    "since",
    "group",
    "complexity",
    "doc_flags",
    "deprecated_since",
    "replaced_by",
    "history",
    "arguments",
];

/// Fields whose elements have no order.
const SETS: [&str; 4] = ["flags", "acl_categories", "doc_flags", "tips"];

/// A field in which a server differs from the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The command, or `command|subcommand`.
    pub command: String,
    /// The field; `name` when the file has no such command.
    pub field: String,
    /// As the file says.
    pub recorded: Json,
    /// As the server says.
    pub said: Json,
}

/// A difference that was reviewed: `known-table-differences.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// The command, or `command|subcommand`.
    pub command: String,
    /// The field.
    pub field: String,
    /// What weir says there.
    pub said: Json,
    /// Why.
    pub reason: String,
}

/// Which of the file's versions a server is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Redis 8.6.3 as it was recorded.
    Recorded,
    /// With what later versions add.
    WithAdditions,
}

/// The reviewed list.
///
/// # Errors
/// When it cannot be read.
pub fn known() -> Result<Vec<Known>> {
    read("known-table-differences.json")
}

/// Returns how the server at `address` differs from the file.
///
/// # Errors
/// When the server does not answer, or answers in another shape than Redis does.
pub fn differences(address: SocketAddr, version: Version) -> Result<Vec<Difference>> {
    let recorded = recorded(version)?;
    let mut client = Client::connect(address, Protocol::Resp3)?;
    let mut said = BTreeMap::new();
    let commands = client.command(&["COMMAND"])?;
    for command in commands.elements().context("COMMAND replies an array")? {
        add_info(&mut said, command)?;
    }
    let docs = client.command(&["COMMAND", "DOCS"])?;
    add_docs(&mut said, &docs)?;
    let mut found = Vec::new();
    for (name, said) in &said {
        let Some(recorded) = recorded.get(name) else {
            found.push(Difference {
                command: name.clone(),
                field: "name".to_owned(),
                recorded: Json::Null,
                said: json!(name),
            });
            continue;
        };
        for field in FIELDS {
            let (recorded, said) = (
                normal(field, recorded.get(field)),
                normal(field, said.get(field)),
            );
            if recorded != said {
                found.push(Difference {
                    command: name.clone(),
                    field: field.to_owned(),
                    recorded,
                    said,
                });
            }
        }
    }
    Ok(found)
}

/// The file's entries by name, subcommands as `command|subcommand`.
fn recorded(version: Version) -> Result<BTreeMap<String, Map<String, Json>>> {
    let file: Json = read("data/commands.json")?;
    let mut entries = BTreeMap::new();
    for command in file["commands"].as_array().context("commands")? {
        add_recorded(&mut entries, command)?;
    }
    if version == Version::WithAdditions {
        for addition in file["later_additions"]
            .as_array()
            .context("later_additions")?
        {
            let name = addition["name"]
                .as_str()
                .context("an addition has a name")?;
            let entry = entries.entry(name.to_owned()).or_default();
            for (field, value) in addition.as_object().context("an addition is an object")? {
                entry.insert(field.clone(), value.clone());
            }
            if !entry.contains_key("first_key") {
                // The documentation does not say it, the key specification does.
                entry.extend([
                    ("first_key".to_owned(), json!(1)),
                    ("last_key".to_owned(), json!(1)),
                    ("step".to_owned(), json!(1)),
                ]);
            }
        }
    }
    Ok(entries)
}

fn add_recorded(entries: &mut BTreeMap<String, Map<String, Json>>, entry: &Json) -> Result<()> {
    let object = entry.as_object().context("an entry is an object")?;
    let name = entry["name"].as_str().context("an entry has a name")?;
    entries.insert(name.to_owned(), object.clone());
    for subcommand in entry["subcommands"].as_array().into_iter().flatten() {
        add_recorded(entries, subcommand)?;
    }
    Ok(())
}

fn read<T: serde::de::DeserializeOwned>(file: &str) -> Result<T> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}

/// Adds an element of the reply to COMMAND, and its subcommands.
fn add_info(said: &mut BTreeMap<String, Map<String, Json>>, command: &Value) -> Result<()> {
    let parts = command.elements().context("a command is an array")?;
    let [
        name,
        arity,
        flags,
        first,
        last,
        step,
        categories,
        tips,
        key_specs,
        subcommands,
    ] = parts
    else {
        bail!("a command has ten parts: {command}");
    };
    let entry = said.entry(text(name)?).or_default();
    for (field, part) in [
        ("arity", arity),
        ("flags", flags),
        ("first_key", first),
        ("last_key", last),
        ("step", step),
        ("acl_categories", categories),
        ("tips", tips),
        ("key_specs", key_specs),
    ] {
        entry.insert(field.to_owned(), plain(part));
    }
    for subcommand in subcommands.elements().context("subcommands are an array")? {
        add_info(said, subcommand)?;
    }
    Ok(())
}

/// Adds the reply to COMMAND DOCS, or the part of it that tells the subcommands of a command.
fn add_docs(said: &mut BTreeMap<String, Map<String, Json>>, docs: &Value) -> Result<()> {
    for (name, docs) in docs.pairs().context("COMMAND DOCS replies a map")? {
        let entry = said.entry(text(name)?).or_default();
        for (field, value) in docs.pairs().context("the docs of a command are a map")? {
            match text(field)?.as_str() {
                "history" => {
                    // Each change is a version and a sentence, and the sentences are prose.
                    let changes = value.elements().unwrap_or_default().iter();
                    let versions =
                        changes.filter_map(|change| change.elements()?.first().map(plain));
                    entry.insert("history".to_owned(), versions.collect());
                }
                "subcommands" => {}
                field => {
                    entry.insert(field.to_owned(), plain(value));
                }
            }
        }
        if let Some(subcommands) = docs.field("subcommands") {
            add_docs(said, subcommands)?;
        }
    }
    Ok(())
}

fn plain(value: &Value) -> Json {
    match value {
        Value::Int(number) => json!(number),
        Value::Map(pairs) => {
            let fields = pairs.iter().map(|(key, value)| {
                let key = key.as_bytes().unwrap_or_default();
                (String::from_utf8_lossy(key).into_owned(), plain(value))
            });
            Json::Object(fields.collect())
        }
        other => match (other.elements(), other.as_bytes()) {
            (Some(elements), _) => elements.iter().map(plain).collect(),
            (None, Some(bytes)) => json!(String::from_utf8_lossy(bytes)),
            (None, None) => Json::Null,
        },
    }
}

/// The form in which a field is compared.
fn normal(field: &str, value: Option<&Json>) -> Json {
    match value {
        None | Some(Json::Null) => Json::Null,
        Some(Json::Array(elements)) if elements.is_empty() => Json::Null,
        Some(Json::Array(elements)) => {
            let mut elements: Vec<Json> = elements
                .iter()
                .map(|element| normal("", Some(element)))
                .collect();
            if SETS.contains(&field) {
                elements.sort_by_key(Json::to_string);
            }
            Json::Array(elements)
        }
        Some(Json::Object(fields)) => {
            let kept = fields
                .iter()
                .filter(|(name, _)| !["notes", "has_notes", "summary"].contains(&name.as_str()));
            let fields = kept.map(|(name, value)| (name.clone(), normal(name, Some(value))));
            Json::Object(fields.collect::<BTreeMap<_, _>>().into_iter().collect())
        }
        Some(other) => other.clone(),
    }
}

fn text(value: &Value) -> Result<String> {
    let bytes = value
        .as_bytes()
        .with_context(|| format!("a string, not {value}"))?;
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}", self.command, self.field)?;
        writeln!(f, "  recorded {}", self.recorded)?;
        write!(f, "  said     {}", self.said)
    }
}
