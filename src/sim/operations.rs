//! What people and accidents do to the pool while users are there.

mod faults;
mod isolation;
mod operator;
mod servers;

use crate::base::time::{Instant, Span};
use crate::operations::faults::Fault;
use crate::operations::operator::Operator;
use crate::scenario::{Autoscaler, Scenario};
use isolation::WithheldReply;

/// What is planned and what breaks.
#[derive(Clone, Debug)]
pub struct Operations {
    /// The faults of the run, those that were injected last.
    pub faults: Vec<Fault>,
    /// Who carries out deploys and changes of the pool's size.
    pub operator: Operator,
    autoscaler: Option<Autoscaler>,
    /// From the start of a process to its first answer.
    boot: Span,
    /// When the operator will look at the pool; at most one look is pending.
    next_look: Instant,
    /// Answers of servers that are cut off.
    withheld: Vec<WithheldReply>,
}

impl Operations {
    /// Nothing has happened yet.
    #[must_use]
    pub fn new(scenario: &Scenario) -> Operations {
        Operations {
            faults: Vec::new(),
            operator: Operator::new(scenario),
            autoscaler: scenario.autoscaler,
            boot: scenario.servers.boot.get(),
            next_look: Instant::NEVER,
            withheld: Vec::new(),
        }
    }
}
