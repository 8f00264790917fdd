//! The kinds of faults.

/// What is done, to which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The lead is handed over, as planned.
    HandOver,
    /// The leader is killed.
    KillLeader,
    /// A follower is killed.
    KillFollower,
    /// A follower is killed, and loses its disk.
    EmptyFollower,
    /// A follower is killed, and away until the log was trimmed beyond where it was.
    LeaveFollower,
    /// A follower is paused until the log was trimmed beyond where it was.
    PauseFollower,
    /// The leader is paused.
    PauseLeader,
    /// Nothing passes between the leader and the log.
    DivideLeader(Ways),
    /// Everything takes longer between the leader and the log.
    SlowLeader,
    /// The connections between the leader and the log end, and cannot be opened.
    CutLeader,
    /// The NATS server that leads the log is killed.
    KillLogLeader,
    /// Another NATS server is killed.
    KillLogServer,
    /// Another NATS server is paused.
    PauseLogServer,
    /// Another NATS server is divided from those that it keeps the log with.
    DivideLogServer,
    /// Another NATS server loses its disk.
    EmptyLogServer,
    /// A NATS server has no room on its disk.
    FillLogServer,
    /// NATS servers are stopped and started again, one after another.
    RestartLogServers,
}

/// In which directions nothing arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ways {
    /// To the log.
    There,
    /// From the log.
    Back,
    /// In both.
    Both,
}

/// All kinds of faults.
pub const FAULTS: [Fault; 19] = [
    Fault::HandOver,
    Fault::KillLeader,
    Fault::KillFollower,
    Fault::EmptyFollower,
    Fault::LeaveFollower,
    Fault::PauseFollower,
    Fault::PauseLeader,
    Fault::DivideLeader(Ways::There),
    Fault::DivideLeader(Ways::Back),
    Fault::DivideLeader(Ways::Both),
    Fault::SlowLeader,
    Fault::CutLeader,
    Fault::KillLogLeader,
    Fault::KillLogServer,
    Fault::PauseLogServer,
    Fault::DivideLogServer,
    Fault::EmptyLogServer,
    Fault::FillLogServer,
    Fault::RestartLogServers,
];
