use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::thread;

use super::*;
use crate::request::Template;

/// Sends the same request a fixed number of times on each connection.
struct Repeat {
    request: Vec<u8>,
    batch: u64,
    left: Vec<u64>,
}

impl Source for Repeat {
    fn next_batch(&mut self, connection: usize, out: &mut Vec<u8>) -> u64 {
        if self.left[connection] == 0 {
            return 0;
        }
        self.left[connection] -= 1;
        (0..self.batch).for_each(|_| out.extend_from_slice(&self.request));
        self.batch
    }
}

/// A server that answers each PING (14 bytes) with `reply`, on as many connections as are asked
/// for.
fn server(reply: &'static [u8], connections: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming().take(connections) {
            let stream = stream.unwrap();
            thread::spawn(move || {
                let mut writer = stream.try_clone().unwrap();
                let mut lines = BufReader::new(stream).lines();
                while let (Some(Ok(_)), Some(_), Some(_)) =
                    (lines.next(), lines.next(), lines.next())
                {
                    if writer.write_all(reply).is_err() {
                        break;
                    }
                }
            });
        }
    });
    address
}

fn pings(connections: usize, batches: u64, batch: u64) -> Repeat {
    let mut request = Vec::new();
    Template::fixed(&[b"PING"]).write(0, &crate::request::Texts::new(), &mut request);
    Repeat {
        request,
        batch,
        left: vec![batches; connections],
    }
}

#[test]
fn every_request_is_answered_and_timed() {
    let mut load = Load::connect(server(b"+PONG\r\n", 3), 3).unwrap();
    let outcome = load.run(&mut pings(3, 10, 16), Check::Bytes).unwrap();
    assert_eq!(outcome.replies, 3 * 10 * 16);
    assert_eq!(outcome.reply_bytes, 3 * 10 * 16 * 7);
    assert_eq!(outcome.batch_latency_ns.len(), 3 * 10);
    assert!(outcome.batch_latency_ns.value_at_quantile(0.5) > 1000);
}

#[test]
fn different_bytes_show_in_the_digest_and_equal_ones_do_not() {
    let digest = |reply: &'static [u8], check| {
        let mut load = Load::connect(server(reply, 2), 2).unwrap();
        load.run(&mut pings(2, 5, 4), check).unwrap().digest
    };
    assert_eq!(
        digest(b"+PONG\r\n", Check::Bytes),
        digest(b"+PONG\r\n", Check::Bytes)
    );
    assert_ne!(
        digest(b"+PONG\r\n", Check::Bytes),
        digest(b"+PANG\r\n", Check::Bytes)
    );
    assert_eq!(
        digest(b"+PONG\r\n", Check::Shape),
        digest(b"+PANG\r\n", Check::Shape)
    );
}

#[test]
fn an_error_reply_fails_the_run() {
    let mut load = Load::connect(server(b"-ERR out of paper\r\n", 1), 1).unwrap();
    let error = load
        .run(&mut pings(1, 2, 1), Check::Shape)
        .unwrap_err()
        .to_string();
    assert_eq!(error, "2 error replies, such as: ERR out of paper");
}

#[test]
fn single_requests_can_be_sent_and_awaited() {
    let mut load = Load::connect(server(b"+PONG\r\n", 2), 2).unwrap();
    let request = pings(1, 1, 1).request;
    load.send(0, &request, 1).unwrap();
    load.send(1, &request, 1).unwrap();
    load.settle(Check::Bytes).unwrap();
}
