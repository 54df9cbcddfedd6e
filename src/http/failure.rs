//! Why a run over sockets cannot go on. None of these is ever counted as a loss.

use std::io;

use thiserror::Error;

/// Why a run failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Failure {
    /// The machine refused something that the run needs.
    #[error("{what}: {why}")]
    Machine {
        /// What did not work.
        what: String,
        /// What the machine says.
        why: String,
    },
    /// Every connection takes two file descriptors, one at each end.
    #[error(
        "this process may have {limit} open files, and needs more: every connection takes two. Raise the limit with \
         `ulimit -n {suggestion}` in this shell, or use fewer users: --set users.count={users}"
    )]
    Descriptors {
        /// The limit now.
        limit: u64,
        /// A limit that would do.
        suggestion: u64,
        /// So many users would do with the limit as it is.
        users: u64,
    },
    /// More people than this engine plays.
    #[error(
        "{clients} users at once are more than real sockets on one machine can hold (at most {most} here). Use fewer, \
         --set users.count={most}, or simulate them: --engine sim"
    )]
    TooMany {
        /// Clients of the scenario.
        clients: u64,
        /// As many as can be.
        most: u64,
    },
    /// A task ended by a panic.
    #[error("{0} panicked: no figure of this run can be trusted. Please report this command")]
    Panic(String),
    /// Something that cannot be.
    #[error("{0}: this is a defect of whatcart. Please report this command")]
    Defect(String),
}

/// Something that the operating system refused.
#[must_use]
pub fn of_io(what: String, error: &io::Error) -> Failure {
    if is_out_of_descriptors(error) {
        return out_of_descriptors();
    }
    Failure::Machine { what, why: error.to_string() }
}

/// Whether the process, or the machine, has no file descriptor left.
#[must_use]
pub fn is_out_of_descriptors(error: &io::Error) -> bool {
    const EMFILE: i32 = 24;
    const ENFILE: i32 = 23;
    matches!(error.raw_os_error(), Some(EMFILE | ENFILE))
}

/// The limit was reached.
#[must_use]
pub fn out_of_descriptors() -> Failure {
    let limit = limit();
    Failure::Descriptors { limit, suggestion: (limit * 4).max(4_096), users: clients_within(limit, 0) / 2 }
}

/// Open files that this process may have, after it has asked for as many as it is allowed to ask for.
#[must_use]
pub fn limit() -> u64 {
    // Where there is no such limit, none is in the way.
    rlimit::increase_nofile_limit(1 << 20).unwrap_or(u64::MAX)
}

/// Descriptors for everything but servers and their connections: the terminal, files, the runtime. A connection that was
/// hung up is among them, until its server has noticed.
const RESERVE: u64 = 64;

/// Descriptors that a server takes beside its connections. It takes most of them when it has vanished: the socket that
/// holds its port, the four that fill its queue, and a health check.
const EACH_SERVER: u64 = 6;

/// Connections from the balancer to so many servers that may be open at once: each takes two descriptors.
#[must_use]
pub fn connections_within(limit: u64, servers: u64) -> u64 {
    limit.saturating_sub(RESERVE + EACH_SERVER * servers) / 2
}

/// Clients of so many servers that may all wait for an answer at once.
#[must_use]
pub fn clients_within(limit: u64, servers: u64) -> u64 {
    connections_within(limit, servers).min(MOST_CLIENTS)
}

/// More clients than this no machine with one loopback address plays: ports run out.
const MOST_CLIENTS: u64 = 20_000;

/// Whether so many clients, each with at most `each` requests under way, can be played before so many servers by a process
/// that may have `limit` open files. Connections that nobody uses are kept in what is left over.
///
/// # Errors
///
/// When there are too many for the sockets of this machine, or for the files that this process may open.
pub fn check(clients: u64, each: u64, servers: u64, limit: u64) -> Result<(), Failure> {
    if clients > MOST_CLIENTS {
        return Err(Failure::TooMany { clients, most: MOST_CLIENTS });
    }
    let needed = RESERVE + EACH_SERVER * servers + 2 * clients * each;
    if needed > limit {
        let users = (clients_within(limit, servers) / each).max(1);
        return Err(Failure::Descriptors { limit, suggestion: needed.next_power_of_two(), users });
    }
    Ok(())
}
