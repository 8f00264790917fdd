//! Which requests are refused whoever sends them, because no program of a user's own sends such.
//!
//! A browser runs pages of strangers, which can make it call any address that it reaches, this one
//! included. By a name of theirs, that they let point here, such a page could even read answers; so
//! the name in `Host` must be one that nobody else can own. And what a page of another site sends
//! says so in `Origin` or `Sec-Fetch-Site`.

use std::net::IpAddr;

use hyper::StatusCode;
use hyper::header::{HOST, HeaderMap, HeaderName, ORIGIN};

use super::answer::Fault;

/// What a browser says of where a request comes from.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses a request that comes from elsewhere. `hosts` are names, in small letters, by which this
/// server may be called.
pub(super) fn check(
    headers: &HeaderMap,
    hosts: &[String],
    scheme: &'static str,
) -> Result<(), Fault> {
    let text = |name| one(headers, name);
    let host = text(HOST)?.ok_or_else(|| Fault::bad("the header Host is missing"))?;
    let name = name_of(host);
    let is_address = name
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>()
        .is_ok();
    if !is_address && name != "localhost" && !hosts.contains(&name) {
        let message = "this server is not called by that name; http-hosts lists names";
        return Err(refused("host", message));
    }
    if let Some(origin) = text(ORIGIN)?
        && origin != format!("{scheme}://{host}")
    {
        return Err(refused("origin", "requests of other sites are refused"));
    }
    match text(FETCH_SITE)? {
        None | Some("same-origin" | "none") => Ok(()),
        Some(_) => Err(refused("origin", "requests of other sites are refused")),
    }
}

fn refused(code: &'static str, message: &str) -> Fault {
    Fault::new(StatusCode::FORBIDDEN, code, message)
}

/// The value of a header that may be there once.
fn one(headers: &HeaderMap, name: HeaderName) -> Result<Option<&str>, Fault> {
    let mut values = headers.get_all(&name).iter();
    let Some(first) = values.next() else {
        return Ok(None);
    };
    let text = first.to_str().ok().filter(|_| values.next().is_none());
    let unclear = || Fault::bad(format!("the header {name} is not clear"));
    text.map(Some).ok_or_else(unclear)
}

/// The name in `Host`, without the port, in small letters.
fn name_of(host: &str) -> String {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(headers: &[(&'static str, &str)]) -> Result<(), StatusCode> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        check(&map, &["weir.example".to_owned()], "http").map_err(|fault| fault.status())
    }

    #[test]
    fn names_that_others_can_own_are_refused() {
        for host in [
            "127.0.0.1:8080",
            "[::1]:8080",
            "[::1]",
            "10.0.0.7",
            "localhost:8080",
            "LOCALHOST",
            "weir.example:8080",
        ] {
            assert_eq!(checked(&[("host", host)]), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "weir.example.evil",
            "localhost.evil",
            "127.0.0.1.evil",
            "",
        ] {
            let refused = checked(&[("host", host)]);
            assert_eq!(refused, Err(StatusCode::FORBIDDEN), "{host}");
        }
        assert_eq!(checked(&[]), Err(StatusCode::BAD_REQUEST));
        let twice = [("host", "localhost"), ("host", "evil.example")];
        assert_eq!(checked(&twice), Err(StatusCode::BAD_REQUEST));
    }

    #[test]
    fn pages_of_other_sites_are_refused() {
        let host = ("host", "localhost:8080");
        assert_eq!(
            checked(&[host, ("origin", "http://localhost:8080")]),
            Ok(())
        );
        assert_eq!(checked(&[host, ("sec-fetch-site", "same-origin")]), Ok(()));
        // Somebody who types the address.
        assert_eq!(checked(&[host, ("sec-fetch-site", "none")]), Ok(()));
        for (name, value) in [
            ("origin", "http://evil.example"),
            ("origin", "https://localhost:8080"),
            ("origin", "http://localhost:8081"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let refused = checked(&[host, (name, value)]);
            assert_eq!(refused, Err(StatusCode::FORBIDDEN), "{name}: {value}");
        }
    }
}
