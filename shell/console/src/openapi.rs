//! The OpenAPI document of all paths, made from the table of routes and the types of answers.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::http::Told;
use crate::query::{Kind, Parameter};
use crate::routes::{ROUTES, Route, Shape, Verb};

/// The document.
pub(crate) fn document() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    let mut generator = settings.into_generator();
    let fault = generator.subschema_for::<Told>();
    let mut paths = Map::new();
    for route in ROUTES {
        let mut operation = json!({
            "operationId": route.id,
            "summary": route.summary,
            "parameters": parameters(route),
            "responses": {
                "200": answer(route, &mut generator),
                "default": {
                    "description": "Why there is no answer.",
                    "content": { "application/json": { "schema": fault } },
                },
            },
        });
        if let Some(body) = route.body {
            operation["requestBody"] = json!({
                "required": true,
                "content": { "application/json": { "schema": body(&mut generator) } },
            });
        }
        if route.path == "/readyz" {
            operation["responses"]["503"] = json!({
                "description": "It is not ready.",
                "content": { "text/plain": { "schema": { "type": "string" } } },
            });
        }
        let verb = match route.method {
            Verb::Get => "get",
            Verb::Post => "post",
        };
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[verb] = operation;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "weir",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What operators see of a server, and a few actions.",
        },
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "securitySchemes": {
                "basic": { "type": "http", "scheme": "basic" },
                "token": { "type": "http", "scheme": "bearer" },
            },
        },
        "security": [{}, { "basic": [] }, { "token": [] }],
    })
}

fn parameters(route: &Route) -> Vec<Value> {
    let in_path = route.names().map(|name| {
        json!({
            "name": name,
            "in": "path",
            "required": true,
            "description": "The name, or - where the parameter of this name has it.",
            "schema": { "type": "string", "minLength": 1 },
        })
    });
    let in_query = route.all_parameters().map(|parameter| {
        json!({
            "name": parameter.name,
            "in": "query",
            "description": parameter.help,
            "schema": kind(parameter),
        })
    });
    in_path.chain(in_query).collect()
}

fn kind(parameter: &Parameter) -> Value {
    match parameter.kind {
        Kind::Text => json!({ "type": "string" }),
        Kind::Number(max) => json!({ "type": "integer", "minimum": 0, "maximum": max }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Word(words) => json!({ "type": "string", "enum": words }),
    }
}

fn answer(route: &Route, generator: &mut schemars::SchemaGenerator) -> Value {
    let (kind, schema) = match route.answer {
        Shape::Json(schema) => ("application/json", json!(schema(generator))),
        Shape::Events(name, schema) => ("text/event-stream", event(name, &schema(generator))),
        Shape::Other("application/json") => ("application/json", json!({ "type": "object" })),
        Shape::Other(kind) => (kind, json!({ "type": "string" })),
    };
    let mut content = Map::new();
    content.insert(kind.to_owned(), json!({ "schema": schema }));
    json!({ "description": route.summary, "content": content })
}

/// One server-sent event: its data is a value as JSON.
fn event(name: &str, data: &Schema) -> Value {
    json!({
        "type": "object",
        "properties": {
            "event": { "const": name },
            "data": {
                "type": "string",
                "contentMediaType": "application/json",
                "contentSchema": data,
            },
        },
        "required": ["event", "data"],
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_route_is_described_once_and_refers_to_what_is_there() {
        let document = document();
        let ids: BTreeSet<&str> = ROUTES.iter().map(|route| route.id).collect();
        assert_eq!(ids.len(), ROUTES.len());
        for route in ROUTES {
            let path = &document["paths"][route.path];
            assert!(path.is_object(), "{}", route.path);
        }
        let text = document.to_string();
        for rest in text.split("\"$ref\":\"#/components/schemas/").skip(1) {
            let name = rest.split('"').next().unwrap();
            let schema = &document["components"]["schemas"][name];
            assert!(schema.is_object(), "{name}");
        }
    }
}
