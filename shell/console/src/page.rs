//! The page: files that are part of the binary, so that it works without any other server.
//!
//! They are built from `shell/console/page/src` by `cargo xtask page`, and kept in the repository
//! together with the hashes of what they were built from. They hold nothing of the server's, so
//! they are given to all who may send a request; what the page shows comes from the API.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Method, StatusCode};

use crate::http::{Answer, Body, Call, Fault};

/// A file of the page.
struct File {
    path: &'static str,
    /// Its name among the built files.
    name: &'static str,
    content_type: &'static str,
    bytes: &'static [u8],
}

static FILES: &[File] = &[
    File {
        path: "/",
        name: "index.html",
        content_type: "text/html; charset=utf-8",
        bytes: include_bytes!("../page/dist/index.html"),
    },
    File {
        path: "/page/app.js",
        name: "app.js",
        content_type: "text/javascript; charset=utf-8",
        bytes: include_bytes!("../page/dist/app.js"),
    },
    File {
        path: "/page/app.css",
        name: "app.css",
        content_type: "text/css; charset=utf-8",
        bytes: include_bytes!("../page/dist/app.css"),
    },
    File {
        path: "/page/icon.svg",
        name: "icon.svg",
        content_type: "image/svg+xml",
        bytes: include_bytes!("../page/dist/icon.svg"),
    },
    File {
        path: "/page/licences.txt",
        name: "licences.txt",
        content_type: "text/plain; charset=utf-8",
        bytes: include_bytes!("../page/dist/licences.txt"),
    },
];

/// SHA-256 of the sources and of the built files, as `sha256sum` writes them.
const HASHES: &str = include_str!("../page/hashes.txt");

impl File {
    /// The hash of what it has in it, by which a browser knows whether its copy is still good.
    fn hash(&self) -> Option<&'static str> {
        HASHES.lines().find_map(|line| {
            let (hash, path) = line.split_once("  ")?;
            (path.strip_prefix("dist/")? == self.name).then_some(hash)
        })
    }
}

/// Answers with a file of the page; none if none is at this path.
pub(crate) fn answer(call: &Call) -> Option<Result<Answer, Fault>> {
    let file = FILES.iter().find(|file| file.path == call.path)?;
    if ![Method::GET, Method::HEAD].contains(&call.method) {
        return Some(Err(Fault::method("GET, HEAD")));
    }
    let hash = file.hash();
    let known = call.if_none_match.as_deref().unwrap_or_default();
    let is_known = hash.is_some_and(|hash| known.contains(hash));
    let (status, bytes) = match is_known {
        true => (StatusCode::NOT_MODIFIED, &[][..]),
        false => (StatusCode::OK, file.bytes),
    };
    Some(Ok(Answer {
        content_type: file.content_type,
        body: Body::Whole(Full::from(Bytes::from_static(bytes))),
        etag: hash,
        ..Answer::text(status, "")
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_each_file_is_known() {
        for file in FILES {
            assert_eq!(file.hash().map(str::len), Some(64), "{}", file.name);
        }
    }
}
