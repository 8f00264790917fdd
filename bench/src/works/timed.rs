//! What most works share: a source that repeats templates, and a run that is measured.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hdrhistogram::Histogram;

use crate::control::{Control, Value};
use crate::load::{Check, Load, Outcome, Source, new_histogram};
use crate::node::Node;
use crate::process::own_cpu_time;
use crate::request::{Piece, Template, Texts, mix};
use crate::sample::{Metric, Sample};

/// Sends `batches_each` batches of `pipeline` requests on each connection.
pub(super) struct Repeat<'a> {
    /// One template per connection; the last serves the connections beyond.
    templates: &'a [Template],
    texts: &'a Texts,
    pipeline: u64,
    requests_each: u64,
    sent: Vec<u64>,
    first_serial: u64,
    serial_count: u64,
}

impl<'a> Repeat<'a> {
    /// Shares at least `requests` requests evenly among the connections.
    pub(super) fn new(
        templates: &'a [Template],
        texts: &'a Texts,
        connections: usize,
        pipeline: u64,
        requests: u64,
    ) -> Self {
        let batches_each = requests.div_ceil(pipeline * connections as u64).max(1);
        let requests_each = batches_each * pipeline;
        Self {
            templates,
            texts,
            pipeline,
            requests_each,
            sent: vec![0; connections],
            first_serial: 0,
            serial_count: u64::MAX,
        }
    }

    /// The same, with serial numbers that begin elsewhere.
    pub(super) fn starting_at(mut self, first_serial: u64) -> Self {
        self.first_serial = first_serial;
        self
    }

    /// The same, with only this many serial numbers, which then come again.
    pub(super) fn wrapping_at(mut self, serial_count: u64) -> Self {
        self.serial_count = serial_count;
        self
    }

    /// Returns how many requests it sends in total.
    pub(super) fn requests(&self) -> u64 {
        self.requests_each * self.sent.len() as u64
    }

    /// What [`Control::stream_digest`] must find after all was appended to an empty stream.
    pub(super) fn content_digest(&self) -> u64 {
        let connections = 0..self.sent.len();
        connections.fold(0, |sum, connection| {
            let template = self.template(connection);
            (0..self.requests_each).fold(sum, |sum: u64, index| {
                sum.wrapping_add(template.tail_digest(self.serial(connection, index), self.texts))
            })
        })
    }

    fn template(&self, connection: usize) -> &Template {
        &self.templates[connection.min(self.templates.len() - 1)]
    }

    fn serial(&self, connection: usize, index: u64) -> u64 {
        (self.first_serial + connection as u64 * self.requests_each + index) % self.serial_count
    }
}

impl Source for Repeat<'_> {
    fn next_batch(&mut self, connection: usize, out: &mut Vec<u8>) -> u64 {
        let sent = self.sent[connection];
        if sent == self.requests_each {
            return 0;
        }
        for index in sent..sent + self.pipeline {
            self.template(connection)
                .write(self.serial(connection, index), self.texts, out);
        }
        self.sent[connection] += self.pipeline;
        self.pipeline
    }
}

/// Batches that were encoded beforehand: per connection, the bytes and the number of replies of
/// each.
pub(super) struct Prepared {
    batches: Vec<std::vec::IntoIter<(Vec<u8>, u64)>>,
}

impl Prepared {
    pub(super) fn new(batches: Vec<Vec<(Vec<u8>, u64)>>) -> Self {
        Self {
            batches: batches.into_iter().map(Vec::into_iter).collect(),
        }
    }
}

impl Source for Prepared {
    fn next_batch(&mut self, connection: usize, out: &mut Vec<u8>) -> u64 {
        self.batches[connection]
            .next()
            .map_or(0, |(bytes, replies)| {
                out.extend_from_slice(&bytes);
                replies
            })
    }
}

/// Runs a source and measures the server: CPU per operation first, then throughput and latency.
pub(super) fn measure(
    node: &Node,
    load: &mut Load,
    source: &mut dyn Source,
    check: Check,
) -> Result<Sample> {
    let mut tally = Tally::new()?;
    tally.run(node, load, source, check)?;
    Ok(tally.sample(1))
}

/// Adds up runs that are pieces of one measurement, with things between them that are not measured.
pub(super) struct Tally {
    cpu: Duration,
    elapsed: Duration,
    client_cpu: Duration,
    replies: u64,
    batch_latency_ns: Histogram<u64>,
    digest: u64,
}

impl Tally {
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            cpu: Duration::ZERO,
            elapsed: Duration::ZERO,
            client_cpu: Duration::ZERO,
            replies: 0,
            batch_latency_ns: new_histogram()?,
            digest: 0,
        })
    }

    /// Runs a source, the server being at rest before and after.
    pub(super) fn run(
        &mut self,
        node: &Node,
        load: &mut Load,
        source: &mut dyn Source,
        check: Check,
    ) -> Result<()> {
        let before = node.process().cpu_time_at_rest()?;
        let outcome = load.run(source, check)?;
        self.add_cpu(node.process().cpu_time_at_rest()?.saturating_sub(before));
        self.add(&outcome)
    }

    /// Adds CPU time of the server.
    pub(super) fn add_cpu(&mut self, cpu: Duration) {
        self.cpu += cpu;
    }

    /// Adds what the load client found, which does not know the server's CPU time.
    pub(super) fn add(&mut self, outcome: &Outcome) -> Result<()> {
        self.elapsed += outcome.elapsed;
        self.client_cpu += outcome.client_cpu;
        self.replies += outcome.replies;
        self.batch_latency_ns.add(&outcome.batch_latency_ns)?;
        self.add_to_digest(outcome.digest);
        Ok(())
    }

    /// Lets another number take part in the comparison of peers.
    pub(super) fn add_to_digest(&mut self, number: u64) {
        self.digest = mix(self.digest ^ number);
    }

    /// The figures, where an operation has this many replies.
    pub(super) fn sample(&self, replies_per_operation: u64) -> Sample {
        let operations = self.replies as f64 / replies_per_operation as f64;
        Sample {
            figures: self.figures(Metric::CpuNs, operations),
            digest: Some(self.digest),
        }
    }

    /// The figures of so many operations, CPU time per operation first.
    fn figures(&self, cpu_metric: Metric, operations: f64) -> Vec<(Metric, f64)> {
        let mut figures = vec![
            (cpu_metric, self.cpu.as_nanos() as f64 / operations),
            (Metric::Throughput, operations / self.elapsed.as_secs_f64()),
        ];
        figures.extend(percentiles(&self.batch_latency_ns));
        let busy = self.client_cpu.as_secs_f64() / self.elapsed.as_secs_f64();
        figures.push((Metric::ClientPercent, busy * 100.0));
        figures
    }
}

/// Does a cycle over and over, in which some clients wait for what another one does. A cycle is
/// given its number and returns when it sent what ends the waiting; replies are awaited here.
pub(super) fn measure_cycles(
    node: &Node,
    load: &mut Load,
    check: Check,
    cycles: u64,
    (cpu_metric, operations_each): (Metric, u64),
    mut cycle: impl FnMut(&mut Load, u64) -> Result<Instant>,
) -> Result<Sample> {
    let mut tally = Tally::new()?;
    load.reset_digest();
    let before = node.process().cpu_time_at_rest()?;
    let (started, client_cpu) = (Instant::now(), own_cpu_time()?);
    for number in 0..cycles {
        let sent = cycle(load, number)?;
        load.settle(check)?;
        let latency = sent.elapsed().as_nanos() as u64;
        tally.batch_latency_ns.saturating_record(latency);
    }
    tally.elapsed = started.elapsed();
    tally.client_cpu = own_cpu_time()?.saturating_sub(client_cpu);
    tally.add_cpu(node.process().cpu_time_at_rest()?.saturating_sub(before));
    Ok(Sample {
        figures: tally.figures(cpu_metric, (cycles * operations_each) as f64),
        digest: Some(load.digest(check)),
    })
}

/// Median and 99th percentile of latencies in nanoseconds.
pub(super) fn percentiles(latency: &Histogram<u64>) -> [(Metric, f64); 2] {
    let micros = |quantile| latency.value_at_quantile(quantile) as f64 / 1000.0;
    [(Metric::P50Us, micros(0.5)), (Metric::P99Us, micros(0.99))]
}

/// Fields and values of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryShape {
    /// One field with a value of 64 random characters.
    One64,
    /// Five fields with values of 16 random characters.
    Five16,
    /// Five fields with values of 16 characters each, which are small JSON documents.
    Five16Json,
    /// One field with a JSON document of about 200 characters.
    One200Json,
}

impl EntryShape {
    pub(super) fn name(self) -> &'static str {
        match self {
            EntryShape::One64 => "1x64",
            EntryShape::Five16 => "5x16",
            EntryShape::Five16Json => "5x16-json",
            EntryShape::One200Json => "1x200-json",
        }
    }

    /// The arguments after the ID. The serial number stands in the first value, so that no two
    /// entries are equal.
    pub(super) fn fields(self) -> Vec<Vec<Piece<'static>>> {
        use Piece::{Digits, Fixed, Pick, Serial, Text};
        let field = |name: &'static [u8]| vec![Fixed(name)];
        match self {
            EntryShape::One64 => vec![field(b"payload"), vec![Serial(12), Text(52)]],
            EntryShape::Five16 => vec![
                field(b"device"),
                vec![Serial(12), Text(4)],
                field(b"reading"),
                vec![Text(16)],
                field(b"region"),
                vec![Text(16)],
                field(b"status"),
                vec![Text(16)],
                field(b"trace"),
                vec![Text(16)],
            ],
            EntryShape::Five16Json => vec![
                field(b"device"),
                vec![Fixed(b"{\"id\":"), Serial(9), Fixed(b"}")],
                field(b"reading"),
                vec![
                    Fixed(b"{\"celsius\":"),
                    Digits(2),
                    Fixed(b"."),
                    Digits(1),
                    Fixed(b"}"),
                ],
                field(b"region"),
                vec![Pick(&[
                    b"{\"at\":\"eu-west\"}",
                    b"{\"at\":\"us-east\"}",
                    b"{\"at\":\"ap-nort\"}",
                ])],
                field(b"status"),
                vec![Pick(&[
                    b"{\"status\":\"up\" }",
                    b"{\"status\":\"off\"}",
                    b"{\"status\":\"err\"}",
                ])],
                field(b"trace"),
                vec![Fixed(b"{\"t\":"), Digits(10), Fixed(b"}")],
            ],
            EntryShape::One200Json => vec![
                field(b"event"),
                vec![
                    Fixed(b"{\"order\":\"o-"),
                    Serial(12),
                    Fixed(b"\",\"customer\":\"c-"),
                    Digits(8),
                    Fixed(b"\",\"state\":\""),
                    Pick(&[b"created", b"payment", b"shipped", b"refused"]),
                    Fixed(b"\",\"currency\":\""),
                    Pick(&[b"EUR", b"USD", b"CHF"]),
                    Fixed(b"\",\"amount\":"),
                    Digits(4),
                    Fixed(b"."),
                    Digits(2),
                    Fixed(b",\"items\":[{\"sku\":\""),
                    Text(8),
                    Fixed(b"\",\"count\":"),
                    Digits(1),
                    Fixed(b"}],\"at\":\"2026-11-"),
                    Digits(2),
                    Fixed(b"T"),
                    Digits(2),
                    Fixed(b":"),
                    Digits(2),
                    Fixed(b"Z\",\"source\":\"web-shop\"}"),
                ],
            ],
        }
    }
}

/// `XADD key arguments… fields…`, where the arguments end with the ID.
pub(super) fn xadd(key: &[u8], arguments: &[&[Piece<'_>]], shape: EntryShape) -> Template {
    xadd_to(&[Piece::Fixed(key)], arguments, shape)
}

/// The same to a key that may vary.
pub(super) fn xadd_to(
    key: &[Piece<'_>],
    arguments: &[&[Piece<'_>]],
    shape: EntryShape,
) -> Template {
    let fields = shape.fields();
    let name = [Piece::Fixed(b"XADD")];
    let mut all: Vec<&[Piece<'_>]> = vec![&name, key];
    all.extend(arguments);
    all.extend(fields.iter().map(Vec::as_slice));
    Template::new(&all, fields.len())
}

/// Fills a stream with entries whose IDs are [`FIRST_MS`] plus their number; the same for every
/// peer.
pub(super) fn fill(
    node: &Node,
    key: &[u8],
    shape: EntryShape,
    entries: u64,
    texts: &Texts,
) -> Result<()> {
    let id = [
        Piece::Fixed(FIRST_MS_PREFIX),
        Piece::Serial(SERIAL_DIGITS),
        Piece::Fixed(b"-0"),
    ];
    send_all(node, &xadd(key, &[&id], shape), entries, texts)?;
    expect_length(&mut node.control()?, key, entries)
}

/// Sends a request with each of the serial numbers from 0 on, in order and quickly; nothing is
/// measured.
pub(super) fn send_all(node: &Node, template: &Template, count: u64, texts: &Texts) -> Result<()> {
    let templates = std::slice::from_ref(template);
    let mut load = Load::connect(node.address(), 1)?;
    // Whole batches first, then the rest, so that the number of requests is exact.
    let whole = count / FILL_PIPELINE * FILL_PIPELINE;
    if whole > 0 {
        let mut batches = Repeat::new(templates, texts, 1, FILL_PIPELINE, whole);
        load.run(&mut batches, Check::Shape)?;
    }
    if count > whole {
        let mut rest = Repeat::new(templates, texts, 1, 1, count - whole).starting_at(whole);
        load.run(&mut rest, Check::Shape)?;
    }
    Ok(())
}

/// Fails unless the stream has this many entries.
pub(super) fn expect_length(control: &mut Control, key: &[u8], entries: u64) -> Result<()> {
    let length = control.ask_int(&[b"XLEN", key])?;
    ensure!(
        length as u64 == entries,
        "the stream has {length} entries, not {entries}"
    );
    Ok(())
}

/// Empties the server, and is done when the memory is free.
pub(super) fn flush(control: &mut Control) -> Result<()> {
    match control
        .ask(&["FLUSHALL", "SYNC"])
        .context("FLUSHALL SYNC")?
    {
        Value::Text(_) => Ok(()),
        other => anyhow::bail!("FLUSHALL replied {other:?}"),
    }
}

/// Time part of the ID of entry `number` of a filled stream.
pub(super) fn entry_ms(number: u64) -> u64 {
    FIRST_MS + number
}

/// Time part of the first ID of a filled stream.
pub(super) const FIRST_MS: u64 = 1_700_000_000_000;
/// The digits of [`FIRST_MS`] before those that count.
pub(super) const FIRST_MS_PREFIX: &[u8] = b"1700";
/// The digits of an ID's time part that count.
pub(super) const SERIAL_DIGITS: usize = 9;
const FILL_PIPELINE: u64 = 100;
