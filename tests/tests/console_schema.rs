//! The description of the console's API, driven by schemathesis: whatever is asked, also what the
//! description does not allow, the server answers as it says and finds no error in itself.

use std::path::{Path, PathBuf};

use weir_tests::client::Protocol;
use weir_tests::http::serve;
use weir_tests::left_out;
use weir_tests::peers;
use weir_tests::programs::{python_with, run};

/// What is held against each answer. That any request which fits the description also succeeds is
/// not: it cannot know which keys there are.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance";

/// Requests that are made for each path, beside those for each bound of its parameters.
const EXAMPLES: &str = "15";

const DATA: &[&str] = &[
    "XADD 0 IDMP 0 1 * field value",
    "XADD 0 IDMP 0 1 * field value",
    "XADD 0 DELAY 100000 * field value",
    "XGROUP CREATE 0 0 0",
    "XREADGROUP GROUP 0 0 COUNT 1 STREAMS 0 >",
    "HSET hash field value",
    "ZADD sorted 1 member",
];

#[test]
fn no_request_finds_an_error_of_the_server_or_an_answer_that_is_not_described() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/schema"));
    let prepared = python_with(&folder.join("requirements.txt"), Path::new("-m")).unwrap();
    let mut schemathesis = match prepared {
        Ok(command) => command,
        Err(why) => return left_out::note("WEIR_REQUIRE_CLIENTS", &why).unwrap(),
    };
    let (server, at) = serve(&peers::weir().unwrap(), &[]).unwrap();
    let mut client = server.connect(Protocol::Resp2).unwrap();
    for request in DATA {
        let words: Vec<&str> = request.split(' ').collect();
        client.command(&words).unwrap();
    }
    let document = format!("http://{at}/api/v1/openapi.json");
    run(schemathesis
        .args(["schemathesis.cli", "run", &document])
        .args(["--phases", "coverage,fuzzing", "--checks", CHECKS])
        .args(["--max-examples", EXAMPLES, "--seed", "1"])
        .args(["--request-timeout", "10", "--generation-database", "none"])
        .current_dir(server.folder()))
    .unwrap();
    client.command(&["PING"]).unwrap();
}
