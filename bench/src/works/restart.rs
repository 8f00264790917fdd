//! Time from start to the first answer with a million entries on disk: as a journal, and as a base
//! after a rewrite.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::timed::{EntryShape, expect_length, fill};
use super::{Rig, Schedule, Setup, Suite, Work};
use crate::control::Control;
use crate::node::{Node, NodeSettings, Persistence};
use crate::peer::Peer;
use crate::process::{Cores, Placement};
use crate::request::Texts;
use crate::sample::{Metric, Sample};

pub(super) fn works() -> Vec<Box<dyn Work>> {
    vec![Box::new(Restart)]
}

struct Restart;

impl Work for Restart {
    fn suite(&self) -> Suite {
        Suite::Durable
    }

    fn name(&self) -> String {
        "restart".to_owned()
    }

    fn lanes(&self) -> Vec<String> {
        vec![
            "restart, a million entries 1x64 in the journal".to_owned(),
            "restart, a million entries 1x64 in the base".to_owned(),
        ]
    }

    fn schedule(&self) -> Schedule {
        Schedule::OneAtATime { rounds_max: 3 }
    }

    fn begin(&self, peer: &Peer, setup: &Setup) -> Result<Box<dyn Rig>> {
        let flags = [("auto-aof-rewrite-percentage", "0".to_owned())];
        let settings = setup.node_settings(Persistence::EverySecond, Placement::Anywhere, &flags);
        Ok(Box::new(Running {
            node: Some(Node::start(peer, &settings, setup.cores, &setup.data_dir)?),
            texts: setup.texts.clone(),
            peer: peer.clone(),
            settings,
            cores: setup.cores,
            entries: setup.scale.count(1_000_000, 1000),
        }))
    }
}

struct Running {
    texts: Texts,
    node: Option<Node>,
    peer: Peer,
    settings: NodeSettings,
    cores: Cores,
    entries: u64,
}

impl Rig for Running {
    fn round(&mut self, _round: u32) -> Result<Vec<Sample>> {
        let node = self.node.as_ref().context("the server is gone")?;
        fill(node, KEY, EntryShape::One64, self.entries, &self.texts)?;
        let from_journal = self.restart()?;
        let node = self.node.as_ref().context("the server is gone")?;
        let mut control = node.control()?;
        control.ask(&["BGREWRITEAOF"])?;
        wait_for_rewrite(&mut control)?;
        let from_base = self.restart()?;
        Ok(vec![from_journal, from_base])
    }
}

impl Running {
    fn restart(&mut self) -> Result<Sample> {
        let node = self.node.take().context("the server is gone")?;
        let disk_bytes = node
            .control()?
            .info_number("persistence", "aof_current_size")?;
        let folder = node.stop()?;
        let since = Instant::now();
        let node = Node::start_in(folder, &self.peer, &self.settings, self.cores)?;
        let seconds = since.elapsed().as_secs_f64();
        let cpu = node.process().cpu_time()?;
        let mut control = node.control()?;
        expect_length(&mut control, KEY, self.entries)?;
        let (digest, count) = control.stream_digest(std::str::from_utf8(KEY)?)?;
        ensure!(count == self.entries, "{count} entries could be read back");
        self.node = Some(node);
        let figures = vec![
            (Metric::StartSeconds, seconds),
            (Metric::CpuNs, cpu.as_nanos() as f64 / self.entries as f64),
            (Metric::DiskMb, disk_bytes as f64 / 1e6),
        ];
        Ok(Sample {
            figures,
            digest: Some(digest),
        })
    }
}

fn wait_for_rewrite(control: &mut Control) -> Result<()> {
    let since = Instant::now();
    loop {
        let busy = control.info_number("persistence", "aof_rewrite_in_progress")?
            + control.info_number("persistence", "aof_rewrite_scheduled")?;
        if busy == 0 {
            return Ok(());
        }
        ensure!(since.elapsed() < REWRITE_MAX, "the rewrite does not end");
        thread::sleep(Duration::from_millis(10));
    }
}

const KEY: &[u8] = b"bench:restart";
const REWRITE_MAX: Duration = Duration::from_secs(120);
