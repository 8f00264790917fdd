//! Whether a JSON value fits a schema: as much of JSON Schema as the console's OpenAPI document
//! uses. What it does not know is an error, so that nothing passes unchecked.

use serde_json::{Map, Value};

/// Checks a value. `document` is what references in the schema are looked up in.
///
/// # Errors
/// What does not fit, and where.
pub fn check(value: &Value, schema: &Value, document: &Value, at: &str) -> Result<(), String> {
    let Some(schema) = schema.as_object() else {
        return match schema {
            Value::Bool(true) => Ok(()),
            other => Err(format!("{at}: no schema: {other}")),
        };
    };
    for (keyword, rule) in schema {
        match keyword.as_str() {
            "$ref" => {
                let path = rule.as_str().unwrap_or_default().trim_start_matches('#');
                let schema = document.pointer(path);
                let schema = schema.ok_or_else(|| format!("{at}: {path} is not there"))?;
                check(value, schema, document, at)?;
            }
            "type" => {
                let kinds = rule
                    .as_array()
                    .map_or(std::slice::from_ref(rule), Vec::as_slice);
                if !kinds
                    .iter()
                    .any(|kind| is(value, kind.as_str().unwrap_or_default()))
                {
                    return Err(format!("{at}: {value} is not of type {rule}"));
                }
            }
            "anyOf" | "oneOf" => {
                let choices = rule.as_array().map(Vec::as_slice).unwrap_or_default();
                let fits = |choice: &&Value| check(value, choice, document, at).is_ok();
                if !choices.iter().any(|choice| fits(&choice)) {
                    return Err(format!("{at}: {value} fits none of {rule}"));
                }
            }
            "enum" => {
                if !rule.as_array().is_some_and(|words| words.contains(value)) {
                    return Err(format!("{at}: {value} is none of {rule}"));
                }
            }
            "minimum" | "maximum" => {
                let (number, bound) = (value.as_f64(), rule.as_f64());
                let fits = number
                    .zip(bound)
                    .is_none_or(|(number, bound)| match keyword.as_str() {
                        "minimum" => number >= bound,
                        _ => number <= bound,
                    });
                if !fits {
                    return Err(format!("{at}: {value} is beyond the {keyword} {rule}"));
                }
            }
            "minItems" | "maxItems" => {
                let (len, bound) = (value.as_array().map(Vec::len), rule.as_u64());
                let fits = len
                    .zip(bound)
                    .is_none_or(|(len, bound)| match keyword.as_str() {
                        "minItems" => len as u64 >= bound,
                        _ => len as u64 <= bound,
                    });
                if !fits {
                    return Err(format!("{at}: {value} is beyond the {keyword} {rule}"));
                }
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(item, rule, document, &format!("{at}/{index}"))?;
                }
            }
            "properties" => {
                if let Some(object) = value.as_object() {
                    properties(object, schema, document, at)?;
                }
            }
            "required" => {
                for name in rule.as_array().into_iter().flatten() {
                    let name = name.as_str().unwrap_or_default();
                    if value
                        .as_object()
                        .is_some_and(|object| !object.contains_key(name))
                    {
                        return Err(format!("{at}: {name} is missing"));
                    }
                }
            }
            "additionalProperties" => {
                let known = schema.get("properties").and_then(Value::as_object);
                for (name, item) in value.as_object().into_iter().flatten() {
                    if known.is_none_or(|known| !known.contains_key(name)) && rule.is_object() {
                        check(item, rule, document, &format!("{at}/{name}"))?;
                    }
                }
            }
            "description" | "title" | "format" => {}
            _ => return Err(format!("{at}: {keyword} is not known here")),
        }
    }
    Ok(())
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        _ => false,
    }
}

/// Checks the parts of an object; one that the schema does not have is an error, unless it allows
/// others.
fn properties(
    object: &Map<String, Value>,
    schema: &Map<String, Value>,
    document: &Value,
    at: &str,
) -> Result<(), String> {
    let known = schema.get("properties").and_then(Value::as_object);
    for (name, item) in object {
        match known.and_then(|known| known.get(name)) {
            Some(schema) => check(item, schema, document, &format!("{at}/{name}"))?,
            None if schema.contains_key("additionalProperties") => {}
            None => return Err(format!("{at}: {name} is not in the schema")),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::check;

    #[test]
    fn what_does_not_fit_is_found() {
        let document = json!({ "parts": { "name": { "type": "string" } } });
        let schema = json!({
            "type": "object",
            "properties": {
                "name": { "$ref": "#/parts/name" },
                "age": { "type": ["integer", "null"], "minimum": 0 },
                "words": { "type": "array", "items": { "enum": ["a", "b"] } },
            },
            "required": ["name"],
        });
        let fits = |value| check(&value, &schema, &document, "").is_ok();
        assert!(fits(json!({ "name": "x", "age": 1, "words": ["a"] })));
        assert!(fits(json!({ "name": "x", "age": null })));
        for odd in [
            json!({}),
            json!([]),
            json!({ "name": 1 }),
            json!({ "name": "x", "age": -1 }),
            json!({ "name": "x", "age": 1.5 }),
            json!({ "name": "x", "words": ["c"] }),
            json!({ "name": "x", "other": 1 }),
        ] {
            assert!(!fits(odd.clone()), "{odd}");
        }
    }
}
