//! Why a run over sockets fails. A failure is never counted as a loss.

use std::io;

use thiserror::Error;

/// Why a run failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Failure {
    /// The operating system refused something that the run needs.
    #[error("{what}: {why}")]
    Machine {
        /// What did not work.
        what: String,
        /// The operating system's error message.
        why: String,
    },
    /// Too few file descriptors: every connection takes two, one at each end.
    #[error(
        "this process may have {limit} open files, and needs more: every connection takes two. Raise the limit with \
         `ulimit -n {suggestion}` in this shell, or use fewer users: --set users.count={users}"
    )]
    Descriptors {
        /// The current limit.
        limit: u64,
        /// A limit that would suffice.
        suggestion: u64,
        /// The number of users that the current limit allows.
        users: u64,
    },
    /// More clients than this engine can run.
    #[error(
        "{clients} users at once are more than real sockets on one machine can hold (at most {most} here). Use fewer, \
         --set users.count={most}, or simulate them: --engine sim"
    )]
    TooMany {
        /// Clients that the scenario needs.
        clients: u64,
        /// The most that are possible.
        most: u64,
    },
    /// A task panicked.
    #[error("{0} panicked: no figure of this run can be trusted. Please report this command")]
    Panic(String),
    /// Something impossible happened: a bug in whatcart.
    #[error("{0}: this is a defect of whatcart. Please report this command")]
    Defect(String),
}

/// The failure for an error from the operating system.
#[must_use]
pub fn of_io(what: String, error: &io::Error) -> Failure {
    if is_out_of_descriptors(error) {
        return out_of_descriptors();
    }
    Failure::Machine { what, why: error.to_string() }
}

/// Whether the process, or the whole machine, is out of file descriptors.
#[must_use]
pub fn is_out_of_descriptors(error: &io::Error) -> bool {
    const EMFILE: i32 = 24;
    const ENFILE: i32 = 23;
    matches!(error.raw_os_error(), Some(EMFILE | ENFILE))
}

/// The failure for a process that has reached its limit on open files.
#[must_use]
pub fn out_of_descriptors() -> Failure {
    let limit = limit();
    Failure::Descriptors { limit, suggestion: (limit * 4).max(4_096), users: clients_within(limit, 0) / 2 }
}

/// This process's limit on open files, after raising it as far as permitted.
#[must_use]
pub fn limit() -> u64 {
    // A platform without such a limit does not restrict the run.
    rlimit::increase_nofile_limit(1 << 20).unwrap_or(u64::MAX)
}

/// Descriptors for everything but servers and their connections: the terminal, files, the runtime, guests. They also
/// cover connections that the balancer has closed, until the server notices.
const RESERVE: u64 = 64;

/// Descriptors that a server needs besides its connections. It needs the most after it has vanished: the socket that
/// holds its port, the four that fill its backlog, and a health check.
const EACH_SERVER: u64 = 6;

/// How many connections from the balancer to `servers` servers may be open at once: each takes two descriptors.
#[must_use]
pub fn connections_within(limit: u64, servers: u64) -> u64 {
    limit.saturating_sub(RESERVE + EACH_SERVER * servers) / 2
}

/// How many clients of `servers` servers may all wait for an answer at once.
#[must_use]
pub fn clients_within(limit: u64, servers: u64) -> u64 {
    connections_within(limit, servers).min(MOST_CLIENTS)
}

/// The most clients that a machine with one loopback address can run: beyond this, ports run out.
const MOST_CLIENTS: u64 = 20_000;

/// Checks that a process that may have `limit` open files can run `clients` clients, each with at most `each` requests
/// in flight, against `servers` servers. Idle connections are kept in what is left over.
///
/// # Errors
///
/// When there are too many clients for the sockets of this machine, or for the files that this process may open.
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
